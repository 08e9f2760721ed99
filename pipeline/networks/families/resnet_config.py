# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the ResNets, without torch: recipes are read and modes are priced before it is imported."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import require
from dimmer.pipeline.modes.mode import FULL_BITS, NetworkCost
from dimmer.pipeline.networks.family import BlockBits, NetworkConfig, Shape, StageEntry


@dataclass(frozen=True)
class ResNetConfig(NetworkConfig):
    """A ResNet of basic blocks: its stem has the channels of the first stage, each further stage halves the resolution.

    Of a series in time, which is an image of height 1, kernels are 1x3 and only the width is halved.

    `NetworkConfig` says what each field is.
    """

    mandatory: tuple[int, ...]
    skippable: tuple[int, ...]
    widths: tuple[int, ...]
    in_channels: int
    image_size: tuple[int, int]
    classes: int
    bits: BlockBits = (FULL_BITS,)
    inputs: tuple[Shape, ...] = ()
    outputs: tuple[int, ...] = ()
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.check_stages()
        height, width = self.image_size
        small = (width if height == 1 else min(height, width)) < 2 ** (len(self.widths) - 1)
        require(not small, "widths", "must leave a pixel or more in the last stage")

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of the convolutions."""
        return (1 if self.image_size[0] == 1 else 3, 3)

    @property
    def stem_channels(self) -> int:
        """Channels of the stem's output."""
        return self.widths[0]

    @property
    def stage_strides(self) -> tuple[int, ...]:
        """Stride of each stage's first block."""
        return (1,) + (2,) * (len(self.widths) - 1)

    def stem_macs(self) -> int:
        """Of the stem's convolution."""
        height, width = self.image_size
        return height * width * self.kernel[0] * self.kernel[1] * self.in_channels * self.stem_channels

    def block_macs(self, channels: int, out: int, before: int, behind: int, stride: int) -> int:
        """Of one block.

        Args:
            channels: that enter it.
            out: that leave it.
            before: pixels that enter it.
            behind: pixels that leave it.
            stride: with one, or with other channels, it has a projection; of a single pixel, too.
        """
        taps = self.kernel[0] * self.kernel[1]
        shortcut = channels * out if channels != out or stride != 1 else 0
        return behind * (taps * channels * out + taps * out * out + shortcut)

    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of the stream behind the stem and behind each stage."""
        found = [self.stem_size]
        for stride in self.stage_strides:
            found.append((-(-found[-1][0] // stride), -(-found[-1][1] // stride)))
        return tuple(found)

    @property
    def stem_size(self) -> tuple[int, int]:
        """Height and width of the stem's output."""
        return self.image_size

    def cost(self) -> NetworkCost:
        """Convolution and fully connected MACs of one inference."""
        channels = self.stem_channels
        before, *behind = (height * width for height, width in self.sizes())
        stages: list[tuple[int, ...]] = []
        for s, (out, pixels) in enumerate(zip(self.widths, behind, strict=True)):
            blocks = []
            for b in range(self.mandatory[s] + self.skippable[s]):
                blocks.append(self.block_macs(channels, out, before, pixels, 1 if b else self.stage_strides[s]))
                channels, before = out, pixels
            stages.append(tuple(blocks))
        fixed = self.stem_macs() + self.joined_macs(self.stem_channels) + channels * self.classes
        return NetworkCost(fixed, tuple(stages))

    def entries(self) -> tuple[StageEntry, ...]:
        """The first two stages see the stem's resolution, each further one half of that before it."""
        channels = (self.stem_channels, *self.widths[:-1])
        return tuple(StageEntry(c, h * w) for c, (h, w) in zip(channels, self.sizes(), strict=False))


CONFIG = ResNetConfig
