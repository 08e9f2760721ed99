"""Shapes and costs of the networks, without torch: recipes are read and modes are priced before it is imported."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.modes.mode import BITS, FULL_BITS, NetworkCost


@dataclass(frozen=True)
class ResNetConfig:
    """Everything that defines the network's shape.

    Attributes:
        mandatory: mandatory blocks of each stage (the first ones), at least 1.
        skippable: skippable blocks of each stage (the last ones), 0 for a stage that is always executed.
        widths: channels of each stage; the stem has those of the first.
        in_channels: channels of the input image.
        image_size: (height, width) of the input image.
        classes: number of classes.
        bits: widths that every block can run with, 8 among them; each has norms of its own.
    """

    mandatory: tuple[int, ...]
    skippable: tuple[int, ...]
    widths: tuple[int, ...]
    in_channels: int
    image_size: tuple[int, int]
    classes: int
    bits: tuple[int, ...] = (FULL_BITS,)

    def __post_init__(self) -> None:
        if not self.widths or not len(self.mandatory) == len(self.skippable) == len(self.widths):
            raise DimmerError("a ResNet needs mandatory, skippable and widths of the same length, one entry a stage")
        if min(self.mandatory) < 1 or min(self.skippable) < 0 or min(self.widths) < 1:
            raise DimmerError("a ResNet needs mandatory >= 1, skippable >= 0 and widths >= 1 in every stage")
        if min(self.image_size) < 2 ** (len(self.widths) - 1) or self.in_channels < 1 or self.classes < 2:
            raise DimmerError("a ResNet needs a pixel or more in its last stage, a channel, and two classes")
        if FULL_BITS not in self.bits or len(set(self.bits)) < len(self.bits) or not set(self.bits) <= set(BITS) - {0}:
            raise DimmerError("a ResNet's bits are 8 and any of 4 and 2, each once")

    def alone(self, which: str) -> ResNetConfig:
        """The network of the same depth as the super-net or base-net, with nothing to skip."""
        if which == "super":
            depth = tuple(m + s for m, s in zip(self.mandatory, self.skippable, strict=True))
        elif which == "base":
            depth = self.mandatory
        else:
            raise DimmerError(f"a network is trained alone as 'super' or 'base', not '{which}'")
        return replace(self, mandatory=depth, skippable=(0,) * len(depth), bits=(FULL_BITS,))


def resnet_cost(config: ResNetConfig) -> NetworkCost:
    """Convolution and fully connected MACs of one inference."""
    height, width = config.image_size
    channels = config.widths[0]
    fixed = height * width * 9 * config.in_channels * channels + config.widths[-1] * config.classes
    stages: list[tuple[int, ...]] = []
    for s, out in enumerate(config.widths):
        blocks = []
        for b in range(config.mandatory[s] + config.skippable[s]):
            if s > 0 and b == 0:
                height, width = (height + 1) // 2, (width + 1) // 2
            shortcut = channels * out if channels != out or (s > 0 and b == 0) else 0
            blocks.append(height * width * (9 * channels * out + 9 * out * out + shortcut))
            channels = out
        stages.append(tuple(blocks))
    return NetworkCost(fixed, tuple(stages))
