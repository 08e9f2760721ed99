# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the vision transformers, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from dimmer.pipeline.core.checks import OneOf, bounded, require
from dimmer.pipeline.modes.mode import FULL_BITS, NetworkCost
from dimmer.pipeline.networks.family import BlockBits, NetworkConfig, StageEntry
from dimmer.pipeline.networks.transformer_config import BEHIND, NORMS, BlockShape, check_heads, check_transformer

MOST_PATCH = 64


@dataclass(frozen=True)
class ViTConfig(NetworkConfig):
    """A vision transformer: patches of the image, blocks of attention and MLP, the mean of all positions.

    Its stages are groups of blocks of one width. In narrow blocks the MLP's second layer has 4 or 2 bits.

    Attributes:
        heads: of the attention; they divide the width.
        patch: height and width of a patch; it divides the image's.
        mlp: channels within the MLP by those of the stream.
        norms: behind: batch norms behind the linear layers, which leave nothing in firmware, and ReLU6; before: layer
            norms before attention and MLP, and GELU, as published.
    """

    mandatory: tuple[int, ...]
    skippable: tuple[int, ...]
    widths: tuple[int, ...]
    heads: int
    in_channels: int
    image_size: tuple[int, int]
    classes: int
    patch: int = 4
    mlp: int = 2
    norms: Annotated[str, OneOf(NORMS)] = BEHIND
    bits: BlockBits = (FULL_BITS,)

    def __post_init__(self) -> None:
        check_transformer(self, self.norms, self.mlp)
        require(len(set(self.widths)) == 1, "widths", "must be the same in every stage")
        check_heads(self.widths[0], self.heads, "heads")
        self.check_grid()

    def check_grid(self) -> None:
        """Refuses patches that do not divide the image."""
        bounded(self.patch, 1, MOST_PATCH, "patch")
        whole = all(size % self.patch == 0 for size in self.image_size)
        height, width = self.image_size
        require(whole, "patch", f"must divide the image's height and width, {height} and {width}")

    @property
    def shape(self) -> BlockShape:
        """Of every block."""
        return BlockShape(self.widths[0], self.heads, self.mlp * self.widths[0])

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of the stream."""
        return (self.image_size[0] // self.patch, self.image_size[1] // self.patch)

    @property
    def positions(self) -> int:
        """Positions of the stream."""
        return self.grid[0] * self.grid[1]

    def fixed_macs(self) -> int:
        """Of patches and classifier."""
        width = self.widths[0]
        return self.positions * self.patch**2 * self.in_channels * width + width * self.classes

    def cost(self) -> NetworkCost:
        """Multiply-accumulates of one inference: linear layers and both products of the attention."""
        counts = [m + s for m, s in zip(self.mandatory, self.skippable, strict=True)]
        one, wide = (macs(self.positions, self.positions) for macs in (self.shape.macs, self.shape.wide_macs))
        narrow = self.bits != (FULL_BITS,)
        kept = tuple((wide,) * count for count in counts) if narrow else ()
        return NetworkCost(self.fixed_macs(), tuple((one,) * count for count in counts), kept)

    def entries(self) -> tuple[StageEntry, ...]:
        """The stream is the same everywhere."""
        return (StageEntry(self.widths[0], self.positions),) * len(self.widths)


CONFIG = ViTConfig
