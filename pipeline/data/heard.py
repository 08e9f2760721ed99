# SPDX-License-Identifier: Apache-2.0
"""Recordings as a device's front end hears them: rows of features in place of samples. Shapes only; no signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from dimmer.pipeline.core.checks import OneOf, bounded, require

AUDIO = "audio"
"""The kind of [features] whose keys are those of [features.audio]."""
SPECTRA = ("magnitude", "power")


@dataclass(frozen=True)
class AudioKeys:
    """Log-mel energies or MFCC of 16-bit samples, of kind "audio".

    Attributes:
        rate: samples a second.
        window_ms: of samples that a row is made of.
        step_ms: from one row to the next.
        bands: triangles of the mel scale.
        low_hz: where the lowest one begins.
        high_hz: where the highest one ends.
        coefficients: of the cosine transform; 0 for the logarithms of the bands.
        spectrum: what the bands add up; of "power" the root of the sum is taken.
    """

    rate: int = 16_000
    window_ms: float = 30.0
    step_ms: float = 20.0
    bands: int = 40
    low_hz: float = 20.0
    high_hz: float = 4000.0
    coefficients: int = 10
    spectrum: Annotated[str, OneOf(SPECTRA)] = SPECTRA[0]

    def __post_init__(self) -> None:
        bounded(self.rate, 1000, 192_000, "rate")
        bounded(self.window_ms, 0.1, 2000, "window_ms")
        bounded(self.step_ms, 0.1, self.window_ms, "step_ms")
        bounded(self.bands, 1, 128, "bands")
        bounded(self.low_hz, 0, self.rate / 2, "low_hz")
        bounded(self.high_hz, self.low_hz, self.rate / 2, "high_hz", over=True)
        bounded(self.coefficients, 0, self.bands, "coefficients")
        require(self.spectrum in SPECTRA, "spectrum", f"must be one of {', '.join(SPECTRA)}")

    @property
    def window(self) -> int:
        """Samples of a row, an even number."""
        return round(self.rate * self.window_ms / 2000) * 2

    @property
    def step(self) -> int:
        """Samples from one row to the next."""
        return round(self.rate * self.step_ms / 1000)

    @property
    def columns(self) -> int:
        """Values of a row."""
        return self.coefficients or self.bands


# The generator's own, written again: a recipe is read by stages that know no features, and whose keys are not to change
# with their code.
PRESET_KEYS: Mapping[str, AudioKeys] = MappingProxyType(
    {
        "mlperf-kws": AudioKeys(),
        "microfrontend": AudioKeys(low_hz=125.0, high_hz=7500.0, coefficients=0, spectrum="power"),
    }
)
"""Front ends of published models: what their rows are made of."""


@dataclass(frozen=True)
class Heard:
    """The front end between recordings and a network.

    Attributes:
        kind: of [features]: "audio" or a published one.
        keys: what a row is made of.
    """

    kind: str
    keys: AudioKeys

    def rows(self, samples: int) -> int:
        """Whole rows of so many samples."""
        return max(0, (samples - self.keys.window) // self.keys.step + 1)
