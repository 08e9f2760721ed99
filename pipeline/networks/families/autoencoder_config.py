# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the dense autoencoders, without torch: modes are priced before it is imported."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import require
from dimmer.pipeline.modes.mode import FULL_BITS, NetworkCost
from dimmer.pipeline.networks.family import BlockBits, NetworkConfig, StageEntry


@dataclass(frozen=True)
class AutoencoderConfig(NetworkConfig):
    """A dense network: its stem sees all of the input at once, the narrowest of its stages is the bottleneck.

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
        require(self.bits == (FULL_BITS,), "bits", "must be [8]: dense blocks have no narrow widths")

    def cost(self) -> NetworkCost:
        """Multiply-accumulates of one inference."""
        height, width = self.image_size
        channels = self.widths[0]
        fixed = height * width * self.in_channels * channels + self.widths[-1] * self.classes
        stages = []
        for m, s, out in zip(self.mandatory, self.skippable, self.widths, strict=True):
            stages.append(tuple(c * out + out * out for c in [channels] + [out] * (m + s - 1)))
            channels = out
        return NetworkCost(fixed, tuple(stages))

    def entries(self) -> tuple[StageEntry, ...]:
        """What enters each stage: a vector."""
        return tuple(StageEntry(channels, 1) for channels in (self.widths[0], *self.widths[:-1]))


CONFIG = AutoencoderConfig
