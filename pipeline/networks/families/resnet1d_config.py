# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the ResNets for series in time, without torch."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import bounded, require
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig

MOST_TAPS, MOST_STRIDE = 63, 8


@dataclass(frozen=True)
class ResNet1dConfig(ResNetConfig):
    """A ResNet of basic blocks for a series in time, an image of height 1, with kernels as long as the series asks for.

    Attributes:
        taps: of the blocks' kernels, odd.
        stem_taps: of the first convolution's kernel, odd.
        stem_stride: of the first convolution.
        strides: of each stage's first block; empty for 1, then 2.
    """

    taps: int = 7
    stem_taps: int = 15
    stem_stride: int = 2
    strides: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        self.check_stages()
        require(self.image_size[0] == 1, "dataset", "must have series, which are images of height 1")
        for key in ("taps", "stem_taps"):
            bounded(getattr(self, key), 1, MOST_TAPS, key)
            require(getattr(self, key) % 2 == 1, key, "must be odd")
        bounded(self.stem_stride, 1, MOST_STRIDE, "stem_stride")
        if self.strides:
            self.check_each_stage("strides", range(1, MOST_STRIDE + 1))

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of the blocks' convolutions."""
        return (1, self.taps)

    @property
    def stage_strides(self) -> tuple[int, ...]:
        """Stride of each stage's first block."""
        return self.strides or super().stage_strides

    @property
    def stem_size(self) -> tuple[int, int]:
        """Height and width of the stem's output."""
        return (1, -(-self.image_size[1] // self.stem_stride))

    def stem_macs(self) -> int:
        """Of the stem's convolution."""
        return self.stem_size[1] * self.stem_taps * self.in_channels * self.stem_channels


CONFIG = ResNet1dConfig
