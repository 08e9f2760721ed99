# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the DS-CNNs, without torch."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import bounded, require
from dimmer.pipeline.modes.mode import FULL_BITS, NetworkCost
from dimmer.pipeline.networks.family import BlockBits, NetworkConfig, Shape, StageEntry

MOST_KERNEL, MOST_STRIDE = 64, 16


@dataclass(frozen=True)
class DSCNNConfig(NetworkConfig):
    """A DS-CNN: one wide convolution, then depthwise-separable blocks, each with its input added.

    Of a series in time, which is an image of height 1, the blocks' kernels are 1x3.

    In narrow blocks the pointwise convolution's weights and inputs have 4 or 2 bits; the depthwise one keeps 8. The
    first block of a stage whose width differs from the one before adds nothing.

    Attributes:
        kernel: height and width of the first convolution: 10, 4 in the paper, of 49 frames of 10 coefficients.
        strides: of the first convolution, down and across; blocks keep the resolution.
    """

    mandatory: tuple[int, ...]
    skippable: tuple[int, ...]
    widths: tuple[int, ...]
    in_channels: int
    image_size: tuple[int, int]
    classes: int
    kernel: tuple[int, ...] = (10, 4)
    strides: tuple[int, ...] = (2, 2)
    bits: BlockBits = (FULL_BITS,)
    inputs: tuple[Shape, ...] = ()
    outputs: tuple[int, ...] = ()
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.check_stages()
        require(len(self.kernel) == 2, "kernel", "must be [height, width]")
        require(len(self.strides) == 2, "strides", "must be [down, across]")
        for taps, size, which in zip(self.kernel, self.image_size, ("height", "width"), strict=True):
            bounded(taps, 1, MOST_KERNEL, "kernel")
            require(taps <= size, "kernel", f"must fit the image, whose {which} is {size}")
        for stride in self.strides:
            bounded(stride, 1, MOST_STRIDE, "strides")

    @property
    def block_kernel(self) -> tuple[int, int]:
        """Height and width of the depthwise convolutions."""
        return (1 if self.image_size[0] == 1 else 3, 3)

    @property
    def padding(self) -> tuple[int, int]:
        """Rows and columns of zeros on each side of the image."""
        return ((self.kernel[0] - 1) // 2, (self.kernel[1] - 1) // 2)

    @property
    def pixels(self) -> int:
        """Height x width of the stream."""
        down, across = (
            (size + 2 * pad - taps) // stride + 1
            for size, pad, taps, stride in zip(self.image_size, self.padding, self.kernel, self.strides, strict=True)
        )
        return down * across

    def cost(self) -> NetworkCost:
        """Multiply-accumulates of one inference."""
        fixed = self.pixels * self.kernel[0] * self.kernel[1] * self.in_channels * self.widths[0]
        fixed += self.joined_macs(self.widths[0])
        channels, blocks, wide = self.widths[0], [], []
        taps = self.block_kernel[0] * self.block_kernel[1]
        for m, s, out in zip(self.mandatory, self.skippable, self.widths, strict=True):
            inputs = [channels] + [out] * (m + s - 1)
            wide.append(tuple(self.pixels * taps * c for c in inputs))
            blocks.append(tuple(self.pixels * c * (taps + out) for c in inputs))
            channels = out
        narrow = self.bits != (FULL_BITS,)
        return NetworkCost(fixed + channels * self.classes, tuple(blocks), tuple(wide) if narrow else ())

    def entries(self) -> tuple[StageEntry, ...]:
        """What enters each stage."""
        return tuple(StageEntry(c, self.pixels) for c in (self.widths[0], *self.widths[:-1]))


CONFIG = DSCNNConfig
