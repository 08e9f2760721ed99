# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the compact convolutional transformers, without torch."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import bounded, require
from dimmer.pipeline.networks.families.vit_config import ViTConfig

MOST_LAYERS = 4


@dataclass(frozen=True)
class CCTConfig(ViTConfig):
    """A compact convolutional transformer: convolutions and pooling in place of patches, and a weighted mean of all
    positions in place of the plain one.

    Attributes:
        patch: 2^layers: how much smaller the stream is than the image. It follows from layers and is left out.
        layers: convolutions before the blocks, each with max pooling that halves height and width.
        taps: height and width of their kernels: 3, 5 or 7.
    """

    patch: int = 0
    layers: int = 2
    taps: int = 3

    def check_grid(self) -> None:
        """Refuses what is no tokenizer."""
        bounded(self.layers, 1, MOST_LAYERS, "layers")
        require(self.taps in (3, 5, 7), "taps", "must be 3, 5 or 7")
        require(self.patch == 0, "patch", "must be left out: layers says how far the image is reduced")
        require(min(self.image_size) > 1, "dataset", "must have images")

    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of the image, and behind each convolution with its pooling."""
        found = [self.image_size]
        for _ in range(self.layers):
            height, width = found[-1]
            found.append(((height + 1) // 2, (width + 1) // 2))
        return tuple(found)

    def channels(self) -> tuple[int, ...]:
        """Of the image and behind each convolution: half the width of the blocks in each but the last."""
        width = self.widths[0]
        return (self.in_channels, *((max(width // 2, 1),) * (self.layers - 1)), width)

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of the stream."""
        return self.sizes()[-1]

    def fixed_macs(self) -> int:
        """Of convolutions, weighted mean and classifier."""
        channels, total = self.channels(), 0
        for (height, width), inputs, outputs in zip(self.sizes(), channels, channels[1:], strict=False):
            total += height * width * self.taps**2 * inputs * outputs
        last = channels[-1]
        return total + 2 * self.positions * last + last * self.classes


CONFIG = CCTConfig
