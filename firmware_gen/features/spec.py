# SPDX-License-Identifier: Apache-2.0
"""What features are made of: parameters that a person chooses, checked against what the C holds."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.firmware_gen.errors import FirmwareGenError

SPECTRA = ("magnitude", "power")
SHAPES = ("periodic", "centred")
MAX_BANDS = 128


class SpecError(FirmwareGenError):
    """A parameter of features that cannot be.

    Attributes:
        key: its name.
        reason: "must be ...".
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key} {reason}")
        self.key = key
        self.reason = reason


def check(condition: bool, key: str, reason: str) -> None:
    """Refuses a parameter.

    Raises:
        SpecError: the condition does not hold.
    """
    if not condition:
        raise SpecError(key, reason)


def within(value: float, low: float, high: float, key: str) -> None:
    """Refuses a number outside its bounds, and NaN.

    Raises:
        SpecError: it is outside.
    """
    check(low <= value <= high, key, f"must be {low:g} to {high:g}, not {value:g}")


@dataclass(frozen=True)
class Codes:
    """Values as int8: value = scale * (code - zero_point), as a network's input has it."""

    scale: float
    zero_point: int

    def __post_init__(self) -> None:
        within(self.scale, 1e-6, 1e6, "scale")
        within(self.zero_point, -128, 127, "zero_point")


@dataclass(frozen=True)
class GainSpec:
    """Noise reduction and per-channel amplitude normalisation, with the names of TFLite-Micro's microfrontend.

    Attributes:
        even_smoothing, odd_smoothing: share of a new value in the estimate of noise, of bands with even and odd
            numbers.
        min_signal_remaining: share of a value that is left of it at least.
        strength: exponent of the gain; 0 leaves it out.
        offset: added to the estimate before.
        smoothing_bits: the estimate has so many bits more.
    """

    even_smoothing: float = 0.025
    odd_smoothing: float = 0.06
    min_signal_remaining: float = 0.05
    strength: float = 0.95
    offset: int = 80
    smoothing_bits: int = 10

    def __post_init__(self) -> None:
        for key in ("even_smoothing", "odd_smoothing", "min_signal_remaining", "strength"):
            within(getattr(self, key), 0, 0.999, key)
        within(self.offset, 1, 1 << 20, "offset")
        within(self.smoothing_bits, 0, 14, "smoothing_bits")


@dataclass(frozen=True)
class AudioSpec:
    """Log-mel energies or MFCC of 16-bit samples; samples are numbers from -1 to 1 in the units of values.

    Attributes:
        rate: samples a second.
        window, step: samples of a row, and from one row to the next.
        fft: points of the transform, a power of 2; the window is filled up with zeros.
        bands: triangles of the mel scale 1127 ln(1 + f / 700), from low_hz to high_hz.
        spectrum: what the triangles add: "magnitude", or "power", of whose sum the root is taken.
        shape: of the Hann window: "periodic" (maximum at window / 2) or "centred" (between the two middle samples).
        coefficients: of the orthogonal cosine transform of type II (the first one not scaled down); 0 for the
            logarithms themselves.
        log_offset: added to a band before the logarithm.
        root_shift: bits that a band loses before `gain`, with "power" only.
        gain: noise reduction and gain before the logarithm.
        rows: of a network's input.
        codes: of the values.
    """

    rate: int
    window: int
    step: int
    fft: int
    bands: int
    low_hz: float
    high_hz: float
    codes: Codes
    rows: int
    spectrum: str = "magnitude"
    shape: str = "periodic"
    coefficients: int = 0
    log_offset: float = 1e-6
    root_shift: int = 0
    gain: GainSpec | None = None

    def __post_init__(self) -> None:
        within(self.rate, 1000, 192_000, "rate")
        check(self.fft in [1 << n for n in range(6, 12)], "fft", "must be a power of 2 from 64 to 2048")
        within(self.window, 2, self.fft, "window")
        check(self.window % 2 == 0, "window", "must be an even number of samples")
        within(self.step, 1, self.window, "step")
        within(self.bands, 1, MAX_BANDS, "bands")
        within(self.low_hz, 0, self.rate / 2, "low_hz")
        within(self.high_hz, self.low_hz + 1, self.rate / 2, "high_hz")
        within(self.coefficients, 0, self.bands, "coefficients")
        check(self.spectrum in SPECTRA, "spectrum", f"must be one of {', '.join(SPECTRA)}")
        check(self.shape in SHAPES, "shape", f"must be one of {', '.join(SHAPES)}")
        within(self.log_offset, 0, 1, "log_offset")
        within(self.root_shift, 0, 16, "root_shift")
        check(self.root_shift == 0 or self.spectrum == "power", "root_shift", "must be 0 without spectrum power")
        within(self.rows, 1, 1024, "rows")

    @property
    def columns(self) -> int:
        """Of a row."""
        return self.coefficients or self.bands

    @property
    def memory(self) -> int:
        """Bytes of a stream, as DIMMER_AUDIO_BYTES of the runtime has it."""
        return 4 * self.fft + 4 * self.bands * (1 if self.gain is None else 2) + 2 * self.window

    @property
    def samples(self) -> int:
        """That a network's input is made of: `rows` rows."""
        return self.window + (self.rows - 1) * self.step
