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
        small = min(self.image_size) < 2 ** (len(self.widths) - 1)
        require(not small, "widths", "must leave a pixel or more in the last stage")

    def cost(self) -> NetworkCost:
        """Convolution and fully connected MACs of one inference."""
        channels = self.widths[0]
        height, width = self.image_size
        fixed = height * width * 9 * self.in_channels * channels + self.widths[-1] * self.classes
        stages: list[tuple[int, ...]] = []
        for s, out in enumerate(self.widths):
            if s > 0:
                height, width = (height + 1) // 2, (width + 1) // 2
            blocks = []
            for b in range(self.mandatory[s] + self.skippable[s]):
                shortcut = channels * out if channels != out or (s > 0 and b == 0) else 0
                blocks.append(height * width * (9 * channels * out + 9 * out * out + shortcut))
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
