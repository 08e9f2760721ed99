# SPDX-License-Identifier: Apache-2.0
"""What input and output of a model mean: how measured values become codes, and what the outputs stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dimmer.firmware_gen.emit.names import Names
from dimmer.firmware_gen.emit.tables import literal
from dimmer.firmware_gen.emit.text import quoted


@dataclass(frozen=True)
class Meaning:
    """What nobody can read from the tables.

    Attributes:
        channels: names of the input's channels; empty where nobody knows.
        offset: value of the lowest code, of each channel, in the channel's own unit; empty where codes are pixels.
        step: value of one code.
        units: of each value that the outputs stand for; empty where they are no values.
        mean: value that an output of 0 stands for.
        per_one: by how much the value grows with each 1 of the output.
        limits: mode and error from which on an input is an anomaly, of a network that gives its input back.
    """

    channels: tuple[str, ...] = ()
    offset: tuple[float, ...] = ()
    step: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    per_one: tuple[float, ...] = ()
    limits: tuple[tuple[str, float], ...] = ()


def meaning_macros(meaning: Meaning) -> list[str]:
    """What `emit_meaning` defines, without the model's prefix."""
    found = ["INPUT_CHANNEL_NAMES"] if meaning.channels else []
    found += ["VALUE_MEANS", "VALUE_SCALES"] if meaning.mean else []
    found += ["VALUE_UNITS"] if meaning.units else []
    return found + (["ANOMALY_LIMITS"] if meaning.limits else [])


def meaning_functions(meaning: Meaning) -> list[str]:
    """Names of the functions that are emitted, without the model's prefix."""
    return (["input_code"] if meaning.offset else []) + (["anomaly"] if meaning.limits else [])


def emit_meaning(meaning: Meaning, names: Names, modes: Sequence[str]) -> Iterator[str]:
    """Lines of the model's header; what is not used costs nothing.

    Args:
        modes: names, in the order of their ids.
    """
    macro = names.macro
    if meaning.channels:
        yield f"#define {macro}_INPUT_CHANNEL_NAMES {_list(map(quoted, meaning.channels))}"
    if meaning.mean:
        yield "/* Value number i: means[i] + scales[i] * OUTPUT_SCALE * (code - OUTPUT_ZERO_POINT). */"
        yield f"#define {macro}_VALUE_MEANS {_numbers(meaning.mean)}"
        yield f"#define {macro}_VALUE_SCALES {_numbers(meaning.per_one)}"
    if meaning.units:
        yield f"#define {macro}_VALUE_UNITS {_list(map(quoted, meaning.units))}"
    if meaning.limits:
        limits = dict(meaning.limits)
        yield f"/* Of each mode: an input whose {names.symbol}_anomaly is larger is an anomaly. */"
        yield f"#define {macro}_ANOMALY_LIMITS {_numbers([limits[mode] for mode in modes])}"


def emit_input_code(meaning: Meaning, names: Names) -> Iterator[str]:
    """The function that makes a code of a measured value, as in training; nothing where codes are pixels."""
    if not meaning.offset:
        return
    count = len(meaning.offset)
    yield "/* The input's code for a measured value of a channel, in the unit of the training data; what lies outside"
    yield " * the range of training becomes the lowest or highest code, what is no number the lowest. */"
    yield f"static inline int8_t {names.symbol}_input_code(float value, unsigned channel)"
    yield "{"
    yield f"    static const float offset[{count}] = {_numbers(meaning.offset)};"
    yield f"    static const float step[{count}] = {_numbers(meaning.step)};"
    yield f"    const unsigned c = channel < {count}u ? channel : {count - 1}u;"
    yield "    const float code = (value - offset[c]) / step[c] + 0.5f;"
    yield ""
    yield "    if (!(code > 0.0f)) {"
    yield "        return -128;"
    yield "    }"
    yield "    return (int8_t)(code < 255.0f ? (int)code - 128 : 127);"
    yield "}"
    yield ""


def emit_anomaly(meaning: Meaning, names: Names) -> Iterator[str]:
    """The function that says by how much an input is not given back; nothing where none is to be."""
    if not meaning.limits:
        return
    macro = names.macro
    yield "/* By how much a network that gives its input back fails to: the mean squared error. input: a copy of what"
    yield " * the network was given, for the arena is used again; output: as the network left it. */"
    yield f"static inline float {names.symbol}_anomaly(const int8_t *input, const int8_t *output)"
    yield "{"
    yield "    float sum = 0.0f;"
    yield "    unsigned i;"
    yield ""
    yield f"    for (i = 0; i < {macro}_OUTPUT_SIZE; ++i) {{"
    yield f"        const float wanted = {macro}_INPUT_SCALE * (float)(input[i] - {macro}_INPUT_ZERO_POINT);"
    yield f"        const float given = {macro}_OUTPUT_SCALE * (float)(output[i] - {macro}_OUTPUT_ZERO_POINT);"
    yield ""
    yield "        sum += (given - wanted) * (given - wanted);"
    yield "    }"
    yield f"    return sum / (float){macro}_OUTPUT_SIZE;"
    yield "}"
    yield ""


def _numbers(values: Sequence[float]) -> str:
    return _list(literal(float(value), "f") for value in values)


def _list(parts: Iterator[str] | map[str]) -> str:
    return f"{{{', '.join(parts)}}}"
