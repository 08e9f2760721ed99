# SPDX-License-Identifier: Apache-2.0
"""A sensor's filters and standardisation: parameters, tables, and in integers what features/sensor.c computes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.features.fixed import Ints, codes
from dimmer.firmware_gen.features.spec import Codes, check, within
from dimmer.firmware_gen.graph.fixed_point import quantize_multiplier

KINDS = ("lowpass", "highpass", "bandpass", "notch")
_Q30, _MOST = 1 << 30, 1 << 28
_POINT = 8


@dataclass(frozen=True)
class BiquadSpec:
    """A filter of second order by its bilinear transform.

    Attributes:
        kind: one of KINDS.
        hz: corner, or centre of bandpass and notch.
        q: quality; 0.7071 is Butterworth's.
    """

    kind: str
    hz: float
    q: float = math.sqrt(0.5)

    def __post_init__(self) -> None:
        check(self.kind in KINDS, "kind", f"must be one of {', '.join(KINDS)}")
        within(self.q, 0.05, 100, "q")

    def coefficients(self, rate: float) -> tuple[float, float, float, float, float]:
        """b0, b1, b2, a1, a2 of y = b0 x + b1 x1 + b2 x2 - a1 y1 - a2 y2 (the audio EQ cookbook's).

        Raises:
            SpecError: the corner is not below half the rate.
        """
        within(self.hz, rate * 1e-4, rate * 0.499, "hz")
        angle = 2 * math.pi * self.hz / rate
        cosine, alpha = math.cos(angle), math.sin(angle) / (2 * self.q)
        b = {
            "lowpass": ((1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2),
            "highpass": ((1 + cosine) / 2, -1 - cosine, (1 + cosine) / 2),
            "bandpass": (alpha, 0.0, -alpha),
            "notch": (1.0, -2 * cosine, 1.0),
        }[self.kind]
        a0 = 1 + alpha
        return b[0] / a0, b[1] / a0, b[2] / a0, -2 * cosine / a0, (1 - alpha) / a0


@dataclass(frozen=True)
class SensorSpec:
    """What becomes of a sensor's 16-bit samples; value = (filtered sample - mean) / deviation.

    Attributes:
        rate: samples a second.
        means, deviations: of each channel, of filtered samples, in a sample's least bit.
        biquads: one after the other, of every channel.
        fir: taps behind them, -1 to 1, the newest sample's first; none: no filter.
        keep: every keep-th sample becomes a row.
        rows: of a network's input.
        hop: rows from one input to the next.
        codes: of the values.
    """

    rate: float
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    codes: Codes
    rows: int
    hop: int
    biquads: tuple[BiquadSpec, ...] = ()
    fir: tuple[float, ...] = ()
    keep: int = 1

    def __post_init__(self) -> None:
        within(self.rate, 0.01, 1e6, "rate")
        within(len(self.means), 1, 32, "means (their count)")
        check(len(self.deviations) == len(self.means), "deviations", f"must be {len(self.means)} numbers, as means are")
        for mean, deviation in zip(self.means, self.deviations, strict=True):
            within(mean, -32768, 32767, "means")
            # Else a code would be less than a sample's least bit in Q8.
            within(deviation, 2**-_POINT / self.codes.scale * 1.001, 1e6, "deviations")
        within(len(self.biquads), 0, 8, "biquads (their count)")
        within(len(self.fir), 0, 255, "fir (its length)")
        within(sum(map(abs, self.fir)), 0, 16, "fir (the sum of its taps)")
        for tap in self.fir:
            within(tap, -1, 1, "fir")
        within(self.keep, 1, 255, "keep")
        within(self.rows, 1, 4096, "rows")
        within(self.hop, 1, self.rows, "hop")
        for biquad in self.biquads:
            biquad.coefficients(self.rate)

    @property
    def channels(self) -> int:
        """Numbers in a sample."""
        return len(self.means)

    @property
    def memory(self) -> int:
        """Bytes of a stream, as DIMMER_SENSOR_BYTES of the runtime has it."""
        return 4 * self.channels * (4 * len(self.biquads) + len(self.fir))


@dataclass(frozen=True)
class SensorTables:
    """The fields of dimmer_sensor_t.

    Attributes:
        biquads: rows of b0, b1, b2, a1, a2, Q30.
        fir: Q15.
        means: Q8.
        scalings: multiplier and shift of each channel.
    """

    spec: SensorSpec
    biquads: tuple[tuple[int, ...], ...]
    fir: tuple[int, ...]
    means: tuple[int, ...]
    scalings: tuple[tuple[int, int], ...]

    @property
    def flash(self) -> int:
        """Bytes of the tables."""
        return 20 * len(self.biquads) + 2 * len(self.fir) + 9 * len(self.means)


def sensor_tables(spec: SensorSpec) -> SensorTables:
    """The tables of a sensor's front end."""
    most = (1 << 31) - 1
    biquads = tuple(
        tuple(max(-most, min(most, round(value * _Q30))) for value in biquad.coefficients(spec.rate))
        for biquad in spec.biquads
    )
    scalings = tuple(quantize_multiplier(2.0**-_POINT / deviation / spec.codes.scale) for deviation in spec.deviations)
    fir = tuple(max(-32768, min(32767, round(tap * 32768))) for tap in spec.fir)
    return SensorTables(spec, biquads, fir, tuple(round(mean * 2**_POINT) for mean in spec.means), scalings)


def lowpass_taps(hz: float, rate: float, taps: int) -> tuple[float, ...]:
    """A FIR low pass: a sinc under a Hamming window, of gain 1 at 0 Hz.

    Raises:
        SpecError: the corner is not below half the rate, or the taps are not 1 to 255.
    """
    within(taps, 1, 255, "taps")
    within(hz, rate * 1e-4, rate * 0.499, "hz")
    place = np.arange(taps) - (taps - 1) / 2
    window = 0.54 + 0.46 * np.cos(2 * np.pi * place / max(taps - 1, 1))
    found = np.sinc(2 * hz / rate * place) * window
    return tuple(map(float, found / found.sum()))


def filtered(tables: SensorTables, samples: npt.NDArray[np.int16]) -> Ints:
    """Samples behind the filters, those that are kept.

    Args:
        samples: int16[n, channels].

    Returns:
        int64[n / keep, channels], Q8.
    """
    values = np.asarray(samples, dtype=np.int64) << _POINT
    for section in tables.biquads:
        values = _biquad(section, values)
    if tables.fir:
        padded = np.concatenate([np.zeros((len(tables.fir) - 1, values.shape[1]), dtype=np.int64), values])
        sums = np.full_like(values, 1 << 14)
        for age, tap in enumerate(tables.fir):
            begin = len(tables.fir) - 1 - age
            sums += padded[begin : begin + len(values)] * tap
        values = _limited(sums >> 15)
    return values[tables.spec.keep - 1 :: tables.spec.keep]


def sensor_rows(tables: SensorTables, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
    """Every row of a recording: int8[n / keep, channels] of int16[n, channels]."""
    values = filtered(tables, samples) - np.array(tables.means)
    zero = tables.spec.codes.zero_point
    return np.stack([codes(values[:, c], *scaling, zero) for c, scaling in enumerate(tables.scalings)], axis=1)


def measured(spec: SensorSpec, recordings: Sequence[npt.NDArray[np.int16]]) -> tuple[tuple[float, ...], ...]:
    """Means and deviations of recordings behind the filters, each float[channels], in a sample's least bit."""
    tables = sensor_tables(spec)
    values = np.concatenate([filtered(tables, samples) for samples in recordings]) / 2**_POINT
    return tuple(map(float, values.mean(axis=0))), tuple(map(float, values.std(axis=0)))


def _biquad(section: Sequence[int], values: Ints) -> Ints:
    b0, b1, b2, a1, a2 = section
    x1 = x2 = y1 = y2 = np.zeros(values.shape[1], dtype=np.int64)
    found = np.empty_like(values)
    for number, x in enumerate(values):
        y = _limited((b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2 + (1 << 29)) >> 30)
        x1, x2, y1, y2 = x, x1, y, y1
        found[number] = y
    return found


def _limited(values: Ints) -> Ints:
    return np.clip(values, -_MOST, _MOST)
