# SPDX-License-Identifier: Apache-2.0
"""What can be said of accuracies: differences over seeds, and right and wrong predictions of the same images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.95
Z_95 = 1.959963984540054
"""Quantile of the normal distribution for a two-sided interval of 95 %."""


def t_cdf(t: float, freedom: int) -> float:
    """Student's distribution function, in closed form (Abramowitz and Stegun, 26.7.3 and 26.7.4).

    Example:
        >>> round(t_cdf(4.302653, 2), 6)
        0.975
    """
    angle = math.atan(t / math.sqrt(freedom))
    cosine, odd = math.cos(angle), freedom % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for k in range(odd + 2, freedom + 1, 2):
        total += term
        term *= cosine**2 * (k - 1) / k
    total *= math.sin(angle)
    return 0.5 + (angle + total) / math.pi if odd else 0.5 + total / 2


def t_quantile(share: float, freedom: int) -> float:
    """The t under which a share, over a half and under 1, of Student's distribution lies.

    Example:
        >>> round(t_quantile(0.975, 4), 4)
        2.7764
    """
    low, high = 0.0, 1.0
    while t_cdf(high, freedom) < share:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if t_cdf(middle, freedom) < share else (low, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Differences:
    """Differences of accuracy, one a seed, in points.

    Attributes:
        count: of seeds.
        mean: of the differences.
        sd: their standard deviation; None of one seed, as what follows.
        low: lower end of the two-sided 95 % interval of the mean.
        high: its upper end.
        one_sided: what the mean is at least, with 95 %.
    """

    count: int
    mean: float
    sd: float | None
    low: float | None
    high: float | None
    one_sided: float | None

    def not_worse_by(self, margin: float) -> bool | None:
        """Whether the mean is, with 95 %, over minus a margin of points; None where one seed says nothing."""
        return None if self.one_sided is None else self.one_sided > -margin


def differences(values: Sequence[float]) -> Differences:
    """Mean, standard deviation and Student's intervals of differences, one a seed; at least one."""
    count, mean = len(values), sum(values) / len(values)
    if count == 1:
        return Differences(1, mean, None, None, None, None)
    sd = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    error = sd / math.sqrt(count)
    half = t_quantile((1 + LEVEL) / 2, count - 1) * error
    return Differences(count, mean, sd, mean - half, mean + half, mean - t_quantile(LEVEL, count - 1) * error)


def mcnemar(better: int, worse: int) -> float:
    """Two-sided p of McNemar's exact test: that as many images are right in the one alone as in the other alone.

    Example:
        >>> round(mcnemar(10, 2), 6)
        0.038574
    """
    images, fewer = better + worse, min(better, worse)
    if better == worse:
        return 1.0
    # Logarithms: 2^-images is no float where images are thousands.
    halves = math.lgamma(images + 1) - images * math.log(2)
    tail = math.fsum(math.exp(halves - math.lgamma(k + 1) - math.lgamma(images - k + 1)) for k in range(fewer + 1))
    return min(1.0, 2 * tail)


def sign_flips(sums: NDArray[np.int64]) -> float:
    """Two-sided p of the exact test that flips signs image by image: that a coin per image might as well have told
    which of two networks is which. An image counts once, whatever the number of seeds; of one seed it is McNemar's.

    Args:
        sums: int64[N], of each image in how many seeds the one alone is right, minus those in which the other is.

    Examples:
        >>> import numpy as np
        >>> [round(sign_flips(np.array(sums)), 6) for sums in ([3, 3, 3, 0], [1] * 10 + [-1] * 2)]
        [0.25, 0.038574]
    """
    import numpy as np

    sizes = np.abs(sums)
    # Chances of each sum of those whose sign is plus: images of one size are binomial, and sizes are independent.
    chances = np.ones(1)
    for size in range(1, int(sizes.max(initial=0)) + 1):
        count = int((sizes == size).sum())
        logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])
        plus = np.zeros(size * count + 1)
        plus[::size] = np.exp(logs[-1] - logs - logs[::-1] - count * math.log(2))
        chances = np.convolve(chances, plus)
    whole = len(chances) - 1
    reached = np.abs(2 * np.arange(whole + 1) - whole) >= abs(int(sums.sum()))
    return min(1.0, float(chances[reached].sum()))


@dataclass(frozen=True)
class Interval:
    """A difference of accuracy on the same images, in points, with its 95 % interval.

    Attributes:
        value: the difference.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


def paired(one: NDArray[np.float64], other: NDArray[np.float64]) -> Interval:
    """How much more often one is right than the other, image by image.

    Args:
        one: float64[N], 1 where it is right, or the chance that it is.
        other: the same of the other.
    """
    gained = one - other
    error = float(gained.std(ddof=1)) / math.sqrt(len(gained))
    mean = float(gained.mean())
    return Interval(100 * mean, 100 * (mean - Z_95 * error), 100 * (mean + Z_95 * error))


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of independent cases, after Wilson (1927).

    Args:
        share: of the cases, 0..1.
        count: of cases, at least one.

    Example:
        >>> low, high = wilson(0.98, 1000)
        >>> print(f"{low:.4f} {high:.4f}")
        0.9693 0.9870
    """
    z2 = Z_95**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z_95 * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)
