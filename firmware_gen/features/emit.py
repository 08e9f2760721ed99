# SPDX-License-Identifier: Apache-2.0
"""Front ends and detectors as C: their tables, named after the model that they stand around."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.emit.text import HEADER, rows
from dimmer.firmware_gen.features.detector import ActivitySpec, DetectorSpec
from dimmer.firmware_gen.features.fixed import Ints
from dimmer.firmware_gen.features.image import COLOURS, ImageTables
from dimmer.firmware_gen.features.sensor import SensorTables
from dimmer.firmware_gen.features.tables import AudioTables, GainTables

FrontEnd = AudioTables | SensorTables | ImageTables
_PER_ROW = 16
Fields = dict[str, str | int]


@dataclass
class _File:
    """What is written so far."""

    macro: str
    includes: list[str] = field(default_factory=list)
    macros: list[tuple[str, int]] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def array(self, kind: str, name: str, values: Iterable[int], about: str) -> str:
        """A table of the source file; its name."""
        found = [int(value) for value in values]
        body = "\n".join(rows(found, _PER_ROW, last_comma=False))
        self.tables.append(f"/* {about} */\nstatic const {kind} {name}[{len(found)}] = {{\n{body}\n}};\n")
        return name

    def constant(self, kind: str, name: str, fields: Fields, *, static: bool = False) -> None:
        """A struct whose fields stand in the order of its declaration: designated initialisers are no C++."""
        lines = "\n".join(f"    {value}, /* {key} */" for key, value in fields.items())
        self.tables.append(f"{'static ' if static else ''}const {kind} {name} = {{\n{lines}\n}};\n")
        if not static:
            self.declared.append(f"extern const {kind} {name};")

    def size(self, name: str, value: int) -> None:
        """A macro of the header."""
        self.macros.append((f"{self.macro}_{name}", value))


def feature_files(
    title: str,
    front: FrontEnd | None,
    detector: DetectorSpec | None = None,
    activity: ActivitySpec | None = None,
) -> dict[str, str]:
    """What stands around a model: file -> text of dimmer_<model>_features.h and .c.

    They declare dimmer_<model>_features, _detector and _activity, those that are given.
    """
    names = names_of(title)
    symbol = names.table("features")
    file = _File(names.macro)
    if isinstance(front, AudioTables):
        _audio(file, symbol, front)
    elif isinstance(front, SensorTables):
        _sensor(file, symbol, front)
    elif isinstance(front, ImageTables):
        _image(file, symbol, front)
    if detector is not None or activity is not None:
        file.includes.append("dimmer_detector.h")
    if detector is not None:
        _detector(file, names.table("detector"), detector)
    if activity is not None:
        _activity(file, names.table("activity"), activity)
    guard = f"{symbol.upper()}_H"
    includes = "\n".join(f'#include "{name}"' for name in file.includes)
    defines = "\n".join(f"#define {name} {value}" for name, value in file.macros)
    declared = "\n".join(file.declared)
    header = (
        f"{HEADER}\n#ifndef {guard}\n#define {guard}\n\n{includes}\n\n"
        f'#ifdef __cplusplus\nextern "C" {{\n#endif\n\n{defines}\n\n{declared}\n\n'
        f"#ifdef __cplusplus\n}}\n#endif\n\n#endif\n"
    )
    source = f'{HEADER}\n#include "{symbol}.h"\n\n' + "\n".join(file.tables)
    return {f"{symbol}.h": header, f"{symbol}.c": source}


def _audio(file: _File, symbol: str, tables: AudioTables) -> None:
    spec = tables.spec
    file.includes += ["dimmer_audio.h", "dimmer_window.h"]
    file.size("RATE", spec.rate)
    file.size("SAMPLES", spec.samples)
    file.size("ROWS", spec.rows)
    file.size("COLUMNS", spec.columns)
    file.size("FEATURES_SIZE", spec.memory)
    pointers: Fields = {
        "shape": file.array("int16_t", "window_shape", tables.shape, f"Hann window, {spec.shape}, Q15"),
        "sines": file.array("int16_t", "sines", tables.sines, "A quarter of a wave, Q15"),
        "turns": file.array("int32_t", "turns", _words(tables.turns), "Cosines in lower halves, sines in upper ones"),
        "bins": file.array("uint8_t", "bins", tables.bins, "From one centre of a band to the next"),
        "weights": file.array("uint16_t", "weights", tables.weights, "Of each bin for the lower of its bands, Q16"),
        "cosines": file.array("int16_t", "cosines", tables.cosines.ravel(), "Of the cosine transform, Q15")
        if spec.coefficients
        else "NULL",
    }
    if tables.gain is not None:
        _gain(file, tables.gain)
    file.constant(
        "dimmer_audio_t",
        symbol,
        {
            "window": spec.window,
            "step": spec.step,
            "first_bin": tables.first_bin,
            "fft_log2": spec.fft.bit_length() - 1,
            "bands": spec.bands,
            "spectrum": f"DIMMER_AUDIO_{spec.spectrum.upper()}",
            "root_shift": spec.root_shift,
            "coefficients": spec.coefficients,
            "columns": spec.columns,
            "offset": f"{tables.offset}u",
            "log_bias": tables.log_bias,
            "multiplier": tables.multiplier,
            "shift": tables.shift,
            "zero_point": spec.codes.zero_point,
            **pointers,
            "gain": "NULL" if tables.gain is None else "&gain",
            "reduce": "NULL" if tables.gain is None else "dimmer_audio_reduce",
        },
    )


def _gain(file: _File, gain: GainTables) -> None:
    fields: Fields = {
        "smoothing_even": gain.smoothing_even,
        "smoothing_odd": gain.smoothing_odd,
        "least": gain.least,
        "strength": gain.strength,
        "offset": f"{gain.offset}u",
        "scale": gain.scale,
        "estimate_shift": gain.estimate_shift,
    }
    file.constant("dimmer_audio_gain_t", "gain", fields, static=True)


def _sensor(file: _File, symbol: str, tables: SensorTables) -> None:
    spec = tables.spec
    file.includes += ["dimmer_sensor.h", "dimmer_window.h"]
    file.size("ROWS", spec.rows)
    file.size("COLUMNS", spec.channels)
    file.size("HOP", spec.hop)
    file.size("FEATURES_SIZE", spec.memory)
    if tables.biquads:
        lines = "\n".join(f"    {{{', '.join(map(str, section))}}}," for section in tables.biquads)
        file.tables.append(
            f"/* b0, b1, b2, a1, a2, Q30 */\nstatic const dimmer_biquad_t biquads[{len(tables.biquads)}] = "
            f"{{\n{lines}\n}};\n"
        )
    fir = file.array("int16_t", "fir", tables.fir, "The newest sample's first, Q15") if tables.fir else "NULL"
    file.constant(
        "dimmer_sensor_t",
        symbol,
        {
            "channels": spec.channels,
            "sections": len(tables.biquads),
            "taps": len(tables.fir),
            "keep": spec.keep,
            "zero_point": spec.codes.zero_point,
            "biquads": "biquads" if tables.biquads else "NULL",
            "fir": fir,
            "means": file.array("int32_t", "means", tables.means, "Of each channel, Q8"),
            "multipliers": file.array(
                "int32_t", "multipliers", (multiplier for multiplier, _ in tables.scalings), "Of each channel"
            ),
            "shifts": file.array("int8_t", "shifts", (shift for _, shift in tables.scalings), "Of each channel"),
        },
    )


def _image(file: _File, symbol: str, tables: ImageTables) -> None:
    spec = tables.spec
    file.includes.append("dimmer_image.h")
    file.size("CAMERA_WIDTH", spec.width)
    file.size("CAMERA_HEIGHT", spec.height)
    file.size("FEATURES_SIZE", spec.memory)
    bilinear = spec.resize == "bilinear"
    x, y, width, height = spec.crop
    places = "Place in what is cut out, Q8"
    file.constant(
        "dimmer_image_t",
        symbol,
        {
            "x": x,
            "y": y,
            "width": width,
            "height": height,
            "to_width": spec.to_width,
            "to_height": spec.to_height,
            "format": f"DIMMER_IMAGE_{spec.format.upper().replace('-', '_')}",
            "resize": f"DIMMER_IMAGE_{spec.resize.upper()}",
            "channels": spec.channels,
            "shift": tables.shift,
            "reciprocal": f"{tables.reciprocal}u",
            "columns": file.array("uint32_t", "columns", tables.columns, places) if bilinear else "NULL",
            "rows": file.array("uint32_t", "rows", tables.rows, places) if bilinear else "NULL",
            "colours": file.array("int16_t", "colours", COLOURS[spec.yuv_range], f"BT.601, {spec.yuv_range}, Q8"),
            "multipliers": file.array("int32_t", "multipliers", tables.multipliers, "Of each channel"),
            "offsets": file.array("int32_t", "offsets", tables.offsets, "Of each channel"),
        },
    )


def _detector(file: _File, symbol: str, spec: DetectorSpec) -> None:
    file.size("DETECTOR_SIZE", spec.memory)
    fields: Fields = {
        "classes": len(spec.thresholds),
        "average": spec.average,
        "quiet": spec.quiet,
        "thresholds": file.array("int16_t", "thresholds", spec.thresholds, f"Sums of {spec.average} codes"),
    }
    file.constant("dimmer_detector_t", symbol, fields)


def _activity(file: _File, symbol: str, spec: ActivitySpec) -> None:
    rise, fall = spec.shares
    fields: Fields = {"margin": spec.margin, "rise": rise, "fall": fall, "hold": spec.hold}
    file.constant("dimmer_activity_t", symbol, fields)


def _words(pairs: Ints) -> Ints:
    """Two halves to a word, the second one above."""
    return (pairs[:, 1] << 16) | (pairs[:, 0] & 0xFFFF)
