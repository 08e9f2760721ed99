# SPDX-License-Identifier: Apache-2.0
"""Tiers for a charger that comes at random: from when it comes, thresholds of the charge.

A device that spends power p at time t since the charger answers accuracy(p) of its events, and is there to answer them
if the charger has not come: with the probability S(t). To maximise the sum of S(t) accuracy(p(t)) for the charge that
there is, each step of the concave hull is used while its slope times S(t) is over one price, the same for all: the
device dims as the charger becomes likely to have come. Since S falls, that is a threshold of the charge for each mode
(the water-filling of a resource allocation; Ibaraki and Katoh, Resource Allocation Problems, MIT Press 1988).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_STEPS = 4000
SPREAD = 0.15
"""What a maker does not know of capacity and rate."""
_NORMAL_QUANTILES = np.array([-1.645, -1.036, -0.674, -0.385, -0.126, 0.126, 0.385, 0.674, 1.036, 1.645])
"""In the middle of ten parts of one probability."""


@dataclass(frozen=True)
class Recharge:
    """When the charger comes.

    Attributes:
        distribution: a key of `DISTRIBUTIONS`.
        mean_s: seconds since the charger was there last, on an average.
    """

    distribution: str
    mean_s: float

    def survival(self, seconds: npt.NDArray[np.float64], spread: float = 0.0) -> npt.NDArray[np.float64]:
        """The probability that it has not come by then.

        Args:
            spread: of how fast the device lives: standard deviation of the logarithm.
        """
        faster = np.exp(spread * _NORMAL_QUANTILES)
        chances = DISTRIBUTIONS[self.distribution](seconds[:, None] / self.mean_s / faster)
        return np.asarray(chances.mean(1), np.float64)

    def draw(self, rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
        """Seconds between chargers, float64[count]."""
        chance = rng.random(count)
        if self.distribution == "exponential":
            return -np.log1p(-chance) * self.mean_s
        return chance * 2 * self.mean_s


def _exponential(times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.exp(-times)


def _uniform(times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.clip(1 - times / 2, 0, 1)


DISTRIBUTIONS: Mapping[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
    "exponential": _exponential,
    "uniform": _uniform,
}
"""Survival over time in means: without memory; from 0 to two means."""


@dataclass(frozen=True)
class Threshold:
    """A tier.

    Attributes:
        permille: of the charge, from which on it holds.
        point: index into the powers.
    """

    permille: int
    point: int


def thresholds(
    powers: Sequence[float], accuracy: Sequence[float], capacity: float, recharge: Recharge, spread: float = SPREAD
) -> list[Threshold]:
    """Tiers that answer most events until the charger comes.

    Args:
        powers: that the modes of the hull draw, sleep included, rising, in any unit.
        accuracy: of each.
        capacity: of the full battery, power times seconds.
        spread: of capacity and powers together between devices, standard deviation of the logarithm: a device that
            lives faster than another meets the charger later.

    Returns:
        By falling thresholds, the last one 0; points that the charger leaves no time for are not among them.
    """
    longest = capacity / powers[0]
    span = min(longest, _end(recharge) * math.exp(2 * spread)) / _STEPS
    times = np.asarray((np.arange(_STEPS) + 0.5) * span, np.float64)
    survival = recharge.survival(times, spread)
    # The cheapest mode is a step from nothing, which draws nothing at all: where it is left out, so is the rest.
    slopes = np.diff([0.0, *accuracy]) / np.diff([0.0, *powers])
    low, high = 1e-9 * slopes[-1], slopes[0]
    used = np.zeros(_STEPS, np.int64)
    for _ in range(100):
        price = math.sqrt(low * high)
        used = (slopes[None, :] * survival[:, None] > price).sum(1)
        spent = float(np.array([0.0, *powers])[used].sum() * span)
        low, high = (price, high) if spent > capacity else (low, price)
    drawn = np.array([0.0, *powers])[used] * span
    left = capacity - np.cumsum(drawn)
    tiers: list[Threshold] = []
    for point in range(len(powers) - 1, 0, -1):
        at = np.flatnonzero(used >= point + 1)
        if len(at) and (permille := max(round(1000 * float(left[at[-1]]) / capacity), 1)) < 1000:
            tiers.append(Threshold(permille, point))
            if permille == 1:
                return [Threshold(0, point)] if len(tiers) == 1 else [*tiers[:-1], Threshold(0, point)]
    return [*tiers, Threshold(0, 0)]


def _end(recharge: Recharge) -> float:
    """Seconds after which it has come, but for one in a million."""
    return recharge.mean_s * (2.0 if recharge.distribution == "uniform" else 14.0)
