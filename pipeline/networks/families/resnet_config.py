# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the ResNets, without torch: recipes are read and modes are priced before it is imported."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import require
from dimmer.pipeline.modes.mode import FULL_BITS, NetworkCost
from dimmer.pipeline.networks.family import BlockBits, NetworkConfig, StageEntry


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

    def __post_init__(self) -> None:
        self.check_stages()
        height, width = self.image_size
        small = (width if height == 1 else min(height, width)) < 2 ** (len(self.widths) - 1)
        require(not small, "widths", "must leave a pixel or more in the last stage")

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of the convolutions."""
        return (1 if self.image_size[0] == 1 else 3, 3)

    def cost(self) -> NetworkCost:
        """Convolution and fully connected MACs of one inference."""
        channels = self.widths[0]
        height, width = self.image_size
        taps = self.kernel[0] * self.kernel[1]
        fixed = height * width * taps * self.in_channels * channels + self.widths[-1] * self.classes
        stages: list[tuple[int, ...]] = []
        for s, out in enumerate(self.widths):
            if s > 0:
                height, width = (height + 1) // 2, (width + 1) // 2
            blocks = []
            for b in range(self.mandatory[s] + self.skippable[s]):
                shortcut = channels * out if channels != out or (s > 0 and b == 0) else 0
                blocks.append(height * width * (taps * channels * out + taps * out * out + shortcut))
                channels = out
            stages.append(tuple(blocks))
        return NetworkCost(fixed, tuple(stages))

    def entries(self) -> tuple[StageEntry, ...]:
        """The first two stages see the stem's resolution, each further one half of that before it."""
        height, width = self.image_size
        found = [StageEntry(self.widths[0], height * width)]
        for s, channels in enumerate(self.widths[:-1]):
            if s > 0:
                height, width = (height + 1) // 2, (width + 1) // 2
            found.append(StageEntry(channels, height * width))
        return tuple(found)


CONFIG = ResNetConfig
