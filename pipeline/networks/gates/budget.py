# SPDX-License-Identifier: Apache-2.0
"""Shape and costs of the gates, without torch: recipes are read and choices are priced before it is imported."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, NetworkCost
from dimmer.pipeline.modes.width import BITS, is_falling
from dimmer.pipeline.networks.family import NetworkConfig

LEVELS = 255
OCTAVES = 5
"""A budget reaches the gates as a level, a byte in equal ratios: 255 is the 8-bit super-net's cost, and every 51 levels
less halve it."""


def budget_level(budget: float) -> int:
    """The level, 0..255, of a budget: a wanted mean cost as a fraction of the 8-bit super-net's."""
    return min(max(round(LEVELS * (1 + math.log2(budget) / OCTAVES)), 0), LEVELS)


def level_budget(level: int) -> float:
    """The budget that a level stands for."""
    return math.exp2(OCTAVES * (level / LEVELS - 1))


@dataclass(frozen=True)
class GateConfig:
    """Everything that defines the gates' shape.

    Attributes:
        options: widths that a gate chooses from, by falling cost; 0 (skipped) is left out for a mandatory block.
        features: outputs of each block's 1x1 convolution.
        hidden: units of the recurrent cell.
    """

    options: tuple[int, ...] = (8, 4, 2, 0)
    features: int = 8
    hidden: int = 16

    def __post_init__(self) -> None:
        if FULL_BITS not in self.options or not is_falling(self.options) or min(self.options) < 0:
            known = ", ".join(map(str, BITS))
            raise DimmerError(f"gates choose from widths, written by falling cost, 8 among them: {known}")
        if not 1 <= self.features <= 32 or not 1 <= self.hidden <= 32:
            raise DimmerError("gates have 1 to 32 features and 1 to 32 hidden units")

    def of_block(self, skippable: bool) -> tuple[int, ...]:
        """The options of a mandatory or of a skippable block."""
        return self.options if skippable else tuple(bits for bits in self.options if bits)


@dataclass(frozen=True)
class GatePlace:
    """One block as the gates see it.

    Attributes:
        stage, block: from 0.
        skippable: whether 0 bits are an option.
        options: widths to choose from, by falling cost.
        channels: of the tensor at the stage's entry, which the block's gate pools.
        pixels: height x width of that tensor.
    """

    stage: int
    block: int
    skippable: bool
    options: tuple[int, ...]
    channels: int
    pixels: int


def gate_places(network: NetworkConfig, gates: GateConfig) -> tuple[tuple[GatePlace, ...], ...]:
    """The blocks of each stage, in order."""
    depths = zip(network.mandatory, network.skippable, network.entries(), strict=True)
    return tuple(
        tuple(
            GatePlace(s, b, b >= mandatory, gates.of_block(b >= mandatory), entry.channels, entry.pixels)
            for b in range(mandatory + skippable)
        )
        for s, (mandatory, skippable, entry) in enumerate(depths)
    )


def gate_macs(network: NetworkConfig, gates: GateConfig) -> int:
    """Operations of all gates in one inference: multiply-accumulates, and an addition for each pixel that is pooled.

    A stage is pooled once. Each block then has its 1x1 convolution with the budget as one more input channel, a step
    of the cell, and its logits.
    """
    total = 0
    for stage in gate_places(network, gates):
        total += stage[0].pixels * stage[0].channels
        for place in stage:
            total += (place.channels + 1) * gates.features
            total += gates.hidden * (gates.features + gates.hidden + len(place.options))
    return total


@dataclass(frozen=True)
class GatedCost:
    """What a gated inference costs, as a fraction of the super-net that runs every block with `reference` bits.

    A multiply-accumulate of a w-bit weight and an a-bit activation counts as w x a. Stem, head and gates count as
    8 x 8, whatever the blocks run with. reference = 8 is this project's measure; with reference = 32 it
    is that of Shen et al. (2020), whose savings are against float32.

    Attributes:
        fixed: bit-operations of stem, head and gates.
        blocks: MACs of each block, stage by stage.
        full: bit-operations of the super-net without gates, which is 1.
        wide: how many of a block's MACs stay at 8 bits whatever its width; () where none do.
    """

    fixed: int
    blocks: tuple[tuple[int, ...], ...]
    full: int
    wide: tuple[tuple[int, ...], ...] = ()

    def relative(self, mode: Mode | Sequence[Sequence[int]]) -> float:
        """The cost of one inference whose blocks ran with these bits."""
        chosen = mode.blocks if isinstance(mode, Mode) else mode
        spent = self.fixed
        for s, (macs, stage) in enumerate(zip(self.blocks, chosen, strict=True)):
            spent += sum(self._operations(s, b, bits) for b, (_, bits) in enumerate(zip(macs, stage, strict=True)))
        return spent / self.full

    def option(self, stage: int, block: int, bits: int) -> float:
        """The share of one block at one width."""
        return self._operations(stage, block, bits) / self.full

    def _operations(self, stage: int, block: int, bits: int) -> int:
        return NetworkCost(0, self.blocks, self.wide).block_operations(stage, block, bits)


def gated_cost(network: NetworkConfig, cost: NetworkCost, gates: GateConfig, reference: int = FULL_BITS) -> GatedCost:
    """Prices the gated network."""
    square = FULL_BITS**2
    full = cost.fixed * square + sum(map(sum, cost.blocks)) * reference**2
    return GatedCost((cost.fixed + gate_macs(network, gates)) * square, cost.blocks, full, cost.wide)


def direction(cost: float, target: float, dead_band: float) -> int:
    """The controller that holds a target cost: +1 makes choices cheaper, -1 dearer, 0 leaves them alone.

    Args:
        cost: mean of a batch.
        target: wanted mean.
        dead_band: half its width, as a fraction of the target: inside, only the label loss acts, and the choices do not
            swing about the target as with the sign alone.
    """
    if abs(cost - target) <= dead_band * target:
        return 0
    return 1 if cost > target else -1
