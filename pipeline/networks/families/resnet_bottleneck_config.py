# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the ResNets with bottlenecks, without torch."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import MOST_CHANNELS, bounded, require
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig

MOST_RATIO = 16
STEM_TAPS = (3, 5, 7)


@dataclass(frozen=True)
class ResNetBottleneckConfig(ResNetConfig):
    """A ResNet of bottleneck blocks: 1x1, 3x3, 1x1 convolutions, the 3x3 one with the stride.

    ResNet-50 is mandatory = [2, 2, 3, 2], skippable = [1, 2, 3, 1], widths = [256, 512, 1024, 2048], stem = 64,
    stem_taps = 7, stem_stride = 2, pool = true.

    Attributes:
        ratio: channels of a block's output by those of its 3x3 convolution.
        stem: channels of the first convolution.
        stem_taps: height and width of its kernel: 3, 5 or 7.
        stem_stride: of the first convolution, 1 or 2.
        pool: whether it is followed by max pooling of 3x3 with a stride of 2.
    """

    ratio: int = 4
    stem: int = 64
    stem_taps: int = 3
    stem_stride: int = 1
    pool: bool = False

    def __post_init__(self) -> None:
        self.check_stages()
        bounded(self.ratio, 1, MOST_RATIO, "ratio")
        divides = all(width % self.ratio == 0 for width in self.widths)
        require(divides, "widths", f"must be multiples of ratio, {self.ratio}")
        bounded(self.stem, 1, MOST_CHANNELS, "stem")
        require(self.stem_taps in STEM_TAPS, "stem_taps", "must be 3, 5 or 7")
        require(self.stem_stride in (1, 2), "stem_stride", "must be 1 or 2")
        require(min(self.image_size) > 1, "dataset", "must have images; family resnet1d is for series")

    @property
    def stem_channels(self) -> int:
        """Channels of the stem's output."""
        return self.stem

    @property
    def _convolved(self) -> tuple[int, int]:
        """Height and width of the first convolution's output."""
        height, width = self.image_size
        return (-(-height // self.stem_stride), -(-width // self.stem_stride))

    @property
    def stem_size(self) -> tuple[int, int]:
        """Height and width of the stem's output."""
        height, width = self._convolved
        return ((height + 1) // 2, (width + 1) // 2) if self.pool else (height, width)

    def stem_macs(self) -> int:
        """Of the stem's convolution."""
        height, width = self._convolved
        return height * width * self.stem_taps**2 * self.in_channels * self.stem

    def block_macs(self, channels: int, out: int, before: int, behind: int, stride: int) -> int:
        """Of one block; arguments as the base class says."""
        inner = out // self.ratio
        shortcut = channels * out if channels != out or stride != 1 else 0
        return before * channels * inner + behind * (9 * inner * inner + inner * out + shortcut)


CONFIG = ResNetBottleneckConfig
