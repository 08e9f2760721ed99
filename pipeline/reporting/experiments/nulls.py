# SPDX-License-Identifier: Apache-2.0
"""What bits per block and gates are worth, against the nulls that cost the same.

Modes and gates against time-sharing uniform modes (`dimmer.pipeline.modes.envelope`), in bit-operations and in cycles;
gates against a permutation of their own choices over the inputs: the same modes as often, and the same cost, without
looking at the input. Everything is measured on the same test images, so intervals are of paired differences. Which
uniform modes make the envelope, and which statistics a mixed mode runs with, the validation images say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.statistics import Interval, paired
from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.modes.envelope import envelope
from dimmer.pipeline.modes.mode import Mode, base_mode, super_mode
from dimmer.pipeline.modes.width import runnable
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.gates.network import GatedNetwork
from dimmer.pipeline.networks.measure import right_in_float
from dimmer.pipeline.subnets.norms import preferred
from dimmer.pipeline.training.gated import choices

_BATCH = 250
_RANDOM_STREAM = 4

Right = NDArray[np.float64]
"""float64[N]: 1 where an image is classified right, or the chance of it."""
Price = Callable[[Mode], float]
"""The cost of an inference in a mode."""


@dataclass(frozen=True)
class Measured:
    """A mode with the statistics that validation prefers.

    Attributes:
        val: share of the validation images that are right.
        right: of the test images.
        recalibrated: whether the statistics are its own.
    """

    val: float
    right: Right
    recalibrated: bool


Priced = tuple[float, Measured]
"""Something at the cost of an inference."""


@dataclass(frozen=True)
class Against:
    """A mode, or the gates with a budget, beside the time-sharing of uniform modes that costs the same.

    Attributes:
        name: of the mode, or the budget.
        unit: of the cost.
        cost: mean of an inference.
        accuracy: percent of the test images.
        mixture: uniform mode -> its share of the inferences.
        above: points by which it is better, with its interval.
    """

    name: str
    unit: str
    cost: float
    accuracy: float
    mixture: Mapping[str, float]
    above: Interval


@dataclass(frozen=True)
class InputValue:
    """What looking at the input is worth.

    Attributes:
        budget: of the gates.
        accuracy: percent of the test images, gated.
        permuted: the same with the choices of other images, mean of the permutations.
        gained: points, with their interval.
        gates: which ones, where there are several.
    """

    budget: float
    accuracy: float
    permuted: float
    gained: Interval
    gates: str = ""


def uniform_modes(network: Network, *, skipped: bool) -> tuple[Mode, ...]:
    """The super-net at each width, and the base-net, too, where skipping counts as uniform."""
    config = network.config
    makers = (super_mode, base_mode) if skipped else (super_mode,)
    found = (make(config.mandatory, config.skippable, bits) for bits in config.bits for make in makers)
    return tuple(dict.fromkeys(found))


def right_of(network: Network, split: Split, mode: Mode, validation: Split | None = None) -> Right:
    """Which images of a split the network gets right in a mode; it ends up in eval mode.

    Args:
        validation: chooses the limit of anomalies; None where the split is validation itself.
    """
    right: Right = right_in_float(network, split, mode, validation=validation, at_once=_BATCH).astype(np.float64)
    return right


def measured(network: Network, data: Dataset, mode: Mode, norms: torch.Tensor) -> Measured:
    """A mode on the test images; a mixed one with statistics of its own where validation gains by them.

    Args:
        norms: float32[N,C,H,W], training images for these statistics.
    """
    with preferred(network, mode, norms, lambda: float(right_of(network, data.val, mode).mean())) as found:
        return Measured(found.chosen, right_of(network, data.test, mode, data.val), found.own)


def time_shared(cost: float, nulls: Mapping[str, Priced]) -> tuple[Mapping[str, float], Right]:
    """The mixture of uniform modes on their envelope at a mean cost, and the chance of each test image with it.

    Args:
        nulls: name -> cost, in the unit of `cost`, and what it reaches; validation accuracies say which are mixed.
    """
    mixture = envelope({name: (price, found.val) for name, (price, found) in nulls.items()}).mixture(cost)
    return mixture, np.sum([share * nulls[name][1].right for name, share in mixture.items()], axis=0)


def priced(uniform: Mapping[Mode, Measured], price: Price) -> dict[str, Priced]:
    """Name -> cost and what it reaches."""
    return {str(mode): (price(mode), found) for mode, found in uniform.items()}


def against_time_sharing(name: str, right: Right, cost: float, nulls: Mapping[str, Priced], unit: str) -> Against:
    """How far something that has these images right at this mean cost lies above the envelope of uniform modes.

    Args:
        nulls: as of `time_shared`.
    """
    mixture, shared = time_shared(cost, nulls)
    return Against(name, unit, cost, 100 * float(right.mean()), mixture, paired(right, shared))


def right_of_choices(network: Network, split: Split, bits: NDArray[np.int64], progress: Progress) -> Right:
    """Which images are right where each runs with bits of its own, with the norms of super- and base-net at its widths.

    Args:
        bits: widths int64[N, blocks]; over 8 the 8-bit block runs, as in training.
    """
    sizes = [m + s for m, s in zip(network.config.mandatory, network.config.skippable, strict=True)]
    ends = np.cumsum(sizes)
    right = np.zeros(len(split))
    different, which = np.unique(np.vectorize(runnable)(bits), axis=0, return_inverse=True)
    for number, row in enumerate(different):
        progress(f"{number + 1} of {len(different)} modes", number / len(different))
        mode = Mode(tuple(tuple(map(int, stage)) for stage in np.split(row, ends[:-1])))
        rows = np.flatnonzero(which.reshape(-1) == number)
        right[rows] = right_of(network, split.take(rows), mode)
    return right


def right_permuted(network: Network, split: Split, bits: NDArray[np.int64], permutations: int, seed: int) -> Right:
    """The chance of each image with the choices of another.

    Args:
        bits: int64[N, blocks], what the gates chose.
        permutations: how many are drawn; the mean over them counts.
        seed: of the permutations.
    """
    rng = np.random.default_rng([seed, _RANDOM_STREAM])
    drawn = [
        right_of_choices(network, split, bits[rng.permutation(len(bits))], lambda text, share: None)
        for _ in range(permutations)
    ]
    null: Right = np.mean(drawn, axis=0)
    return null


def value_of_input(budget: float, right: Right, permuted: Right, gates: str = "") -> InputValue:
    """What the gates have right beside permutations of their choices."""
    means = 100 * float(right.mean()), 100 * float(permuted.mean())
    return InputValue(budget, *means, paired(right, permuted), gates)


@dataclass(frozen=True)
class Gated:
    """The gates with one budget on a split.

    Attributes:
        budget: that they were told.
        bits: int64[N, blocks], their choices.
        right: which images are right.
    """

    budget: float
    bits: NDArray[np.int64]
    right: Right

    def modes(self, sizes: Sequence[int]) -> Mapping[Mode, int]:
        """Mode -> how many inputs ran in it."""
        rows, counts = np.unique(self.bits, axis=0, return_counts=True)
        return {Mode.staged(row, sizes): count for row, count in zip(rows.tolist(), counts.tolist(), strict=True)}

    def mean(self, sizes: Sequence[int], price: Price) -> float:
        """Mean cost of an inference."""
        return sum(price(mode) * count for mode, count in self.modes(sizes).items()) / len(self.bits)


def run_gates(gated: GatedNetwork, split: Split, budget: float, progress: Progress) -> Gated:
    """The gates on every image of a split, with one budget."""
    bits = choices(gated, split, budget)
    return Gated(budget, bits, right_of_choices(gated.network, split, bits, progress))
