# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the Swin transformers, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from dimmer.pipeline.core.checks import OneOf, bounded, require
from dimmer.pipeline.modes.mode import FULL_BITS, NetworkCost
from dimmer.pipeline.networks.family import BlockBits, NetworkConfig, StageEntry
from dimmer.pipeline.networks.transformer_config import BEHIND, NORMS, BlockShape, check_heads, check_transformer

MOST_PATCH, MOST_WINDOW = 64, 16


@dataclass(frozen=True)
class SwinConfig(NetworkConfig):
    """A Swin transformer: attention within windows, shifted in every second block; stages that merge patches of 2x2.

    In narrow blocks the MLP's second layer has 4 or 2 bits. Swin-T is mandatory = [1, 1, 3, 1], skippable = [1, 1, 3,
    1], widths = [96, 192, 384, 768], heads = [3, 6, 12, 24], patch = 4, window = 7, mlp = 4, norms = "before".

    Attributes:
        heads: of each stage's attention; they divide its width.
        patch: height and width of a patch; it divides the image's.
        window: height and width of a window; in every stage it divides the stream's.
        mlp: channels within the MLP by those of the stream.
        norms: behind: batch norms behind the linear layers, which leave nothing in firmware, and ReLU6; before: layer
            norms before attention and MLP, and GELU, as published.
    """

    mandatory: tuple[int, ...]
    skippable: tuple[int, ...]
    widths: tuple[int, ...]
    heads: tuple[int, ...]
    in_channels: int
    image_size: tuple[int, int]
    classes: int
    patch: int = 2
    window: int = 4
    mlp: int = 2
    norms: Annotated[str, OneOf(NORMS)] = BEHIND
    bits: BlockBits = (FULL_BITS,)

    def __post_init__(self) -> None:
        check_transformer(self, self.norms, self.mlp)
        require(len(self.heads) == len(self.widths), "heads", "must have one entry a stage, as many as mandatory")
        for width, heads in zip(self.widths, self.heads, strict=True):
            check_heads(width, heads, "heads")
        bounded(self.patch, 1, MOST_PATCH, "patch")
        bounded(self.window, 2, MOST_WINDOW, "window")
        height, width = self.image_size
        whole = height % self.patch == 0 and width % self.patch == 0
        require(whole, "patch", f"must divide the image's height and width, {height} and {width}")
        for down, across in self.grids():
            fits = min(down, across) > 0 and down % self.window == 0 and across % self.window == 0
            require(fits, "window", f"must divide every stage's height and width; one stage has {down} and {across}")

    def grids(self) -> tuple[tuple[int, int], ...]:
        """Height and width of the stream in each stage."""
        height, width = self.image_size[0] // self.patch, self.image_size[1] // self.patch
        return tuple((height >> s, width >> s) for s in range(len(self.widths)))

    def shape(self, stage: int) -> BlockShape:
        """Of a stage's blocks."""
        return BlockShape(self.widths[stage], self.heads[stage], self.mlp * self.widths[stage])

    def shift(self, stage: int, block: int) -> int:
        """By how much a block's windows are shifted: half a window in every second, where there is more than one."""
        return self.window // 2 if block % 2 and min(self.grids()[stage]) > self.window else 0

    def cost(self) -> NetworkCost:
        """Multiply-accumulates of one inference: linear layers and both products of the attention."""
        grids = self.grids()
        first = grids[0][0] * grids[0][1]
        fixed = first * self.patch**2 * self.in_channels * self.widths[0] + self.widths[-1] * self.classes
        blocks, wide = [], []
        for s, (down, across) in enumerate(grids):
            shape, positions, count = self.shape(s), down * across, self.mandatory[s] + self.skippable[s]
            merge = positions * 4 * self.widths[s - 1] * self.widths[s] if s else 0
            merges = [merge] + [0] * (count - 1)
            blocks.append(tuple(m + shape.macs(positions, self.window**2) for m in merges))
            wide.append(tuple(m + shape.wide_macs(positions, self.window**2) for m in merges))
        return NetworkCost(fixed, tuple(blocks), tuple(wide) if self.bits != (FULL_BITS,) else ())

    def entries(self) -> tuple[StageEntry, ...]:
        """A stage begins by merging what the one before leaves."""
        before = [(self.widths[0], self.grids()[0]), *zip(self.widths, self.grids(), strict=True)]
        return tuple(StageEntry(channels, down * across) for channels, (down, across) in before[:-1])


CONFIG = SwinConfig
