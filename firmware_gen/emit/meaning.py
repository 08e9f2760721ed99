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
    """

    channels: tuple[str, ...] = ()
    offset: tuple[float, ...] = ()
    step: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    per_one: tuple[float, ...] = ()


def meaning_macros(meaning: Meaning) -> list[str]:
    """What `emit_meaning` defines, without the model's prefix."""
    found = ["INPUT_CHANNEL_NAMES"] if meaning.channels else []
    found += ["VALUE_MEANS", "VALUE_SCALES"] if meaning.mean else []
    return found + (["VALUE_UNITS"] if meaning.units else [])


def emit_meaning(meaning: Meaning, names: Names) -> Iterator[str]:
    """Lines of the model's header; what is not used costs nothing."""
    macro = names.macro
    if meaning.channels:
        yield f"#define {macro}_INPUT_CHANNEL_NAMES {_list(map(quoted, meaning.channels))}"
    if meaning.mean:
        yield "/* Value number i: means[i] + scales[i] * OUTPUT_SCALE * (code - OUTPUT_ZERO_POINT). */"
        yield f"#define {macro}_VALUE_MEANS {_numbers(meaning.mean)}"
        yield f"#define {macro}_VALUE_SCALES {_numbers(meaning.per_one)}"
    if meaning.units:
        yield f"#define {macro}_VALUE_UNITS {_list(map(quoted, meaning.units))}"


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


def _numbers(values: Sequence[float]) -> str:
    return _list(literal(float(value), "f") for value in values)


def _list(parts: Iterator[str] | map[str]) -> str:
    return f"{{{', '.join(parts)}}}"
