# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the MobileNetV2s, without torch."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import MOST_CHANNELS, bounded, require
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, NetworkCost
from dimmer.pipeline.networks.family import NO_GATES_OUTSIDE, BlockBits, NetworkConfig, SkipFlags, StageEntry

MOST_EXPANSION = 8


@dataclass(frozen=True)
class MobileNetV2Config(NetworkConfig):
    """A MobileNetV2: inverted residual blocks between a convolution of 3x3 and one of 1x1.

    In narrow blocks the projection's weights and inputs have 4 or 2 bits; expansion and depthwise convolution keep 8.

    Attributes:
        strides: of each stage's first block, 1 or 2. For images of 32x32 halve late: 1, 1, 2, 2, 1, 2, 1.
        expansion: of each stage's blocks: inner channels by outer ones; 1 for blocks without an expansion.
        stem: channels of the first convolution.
        head: channels of the last one.
        stem_stride: of the first convolution, 1 or 2.
        outer_twins: whether norms outside of the stages with a sub-path have twins, too, as in the paper's code: those
            of the stem and of stages before follow the first sub-path, those behind the last one. Gates need false.
    """

    mandatory: tuple[int, ...]
    skippable: tuple[int, ...]
    widths: tuple[int, ...]
    strides: tuple[int, ...]
    expansion: tuple[int, ...]
    in_channels: int
    image_size: tuple[int, int]
    classes: int
    stem: int = 32
    head: int = 1280
    stem_stride: int = 1
    outer_twins: bool = True
    bits: BlockBits = (FULL_BITS,)

    def __post_init__(self) -> None:
        self.check_stages()
        self.check_each_stage("strides", (1, 2))
        self.check_each_stage("expansion", range(1, MOST_EXPANSION + 1))
        bounded(self.stem, 1, MOST_CHANNELS, "stem")
        bounded(self.head, 1, MOST_CHANNELS, "head")
        require(self.stem_stride in (1, 2), "stem_stride", "must be 1 or 2")

    def skip_flags(self, mode: Mode) -> SkipFlags:
        """Norms without a sub-path of their own follow the next one, or the last where none comes."""
        if not self.twins_outside:
            return super().skip_flags(mode)
        stem, own, head = self.outer_flags(mode)
        can_skip = [s for s, blocks in enumerate(self.skippable) if blocks]
        followed = [next((c for c in can_skip if c >= s), can_skip[-1]) for s in range(len(own))]
        return SkipFlags(stem, tuple(own[s] for s in followed), head)

    def has_twins(self, stage: int, block: int) -> bool:
        """Whether a block's norms have twins: mandatory ones of a stage that can be skipped, and outer ones."""
        if self.skippable[stage]:
            return block < self.mandatory[stage]
        return self.twins_outside

    @property
    def twins_outside(self) -> bool:
        """Whether norms of stem, head and stages without a sub-path have twins."""
        return self.outer_twins and any(self.skippable)

    def why_no_gates(self) -> str:
        """The stem's norm cannot follow a sub-path that is chosen after it."""
        return NO_GATES_OUTSIDE if self.twins_outside else ""

    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of the stream behind the stem and behind each stage."""
        size = self.image_size
        found = []
        for stride in (self.stem_stride, *self.strides):
            size = (-(-size[0] // stride), -(-size[1] // stride))
            found.append(size)
        return tuple(found)

    def cost(self) -> NetworkCost:
        """Multiply-accumulates of one inference."""
        (height, width), *behind = self.sizes()
        last = behind[-1][0] * behind[-1][1]
        fixed = height * width * 9 * self.in_channels * self.stem
        fixed += last * self.widths[-1] * self.head + self.head * self.classes
        channels, pixels = self.stem, height * width
        blocks, wide = [], []
        for s, (out, ratio, size) in enumerate(zip(self.widths, self.expansion, behind, strict=True)):
            stage, kept = [], []
            for _ in range(self.mandatory[s] + self.skippable[s]):
                inner, made = channels * ratio, size[0] * size[1]
                expand = pixels * channels * inner if ratio > 1 else 0
                kept.append(expand + made * 9 * inner)
                stage.append(kept[-1] + made * inner * out)
                channels, pixels = out, made
            blocks.append(tuple(stage))
            wide.append(tuple(kept))
        return NetworkCost(fixed, tuple(blocks), tuple(wide) if self.bits != (FULL_BITS,) else ())

    def entries(self) -> tuple[StageEntry, ...]:
        """What enters each stage."""
        channels = (self.stem, *self.widths[:-1])
        return tuple(StageEntry(c, h * w) for c, (h, w) in zip(channels, self.sizes(), strict=False))


CONFIG = MobileNetV2Config
