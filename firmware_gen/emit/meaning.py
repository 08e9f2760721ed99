# SPDX-License-Identifier: Apache-2.0
"""What input and output of a model mean: how measured values become codes, and what the outputs stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dimmer.firmware_gen.emit.names import Names
from dimmer.firmware_gen.emit.tables import literal
from dimmer.firmware_gen.emit.text import comment, quoted


@dataclass(frozen=True)
class InputMeaning:
    """One of several inputs.

    Attributes:
        name: of it.
        channels: names of its channels.
        offset: value of the lowest code, of each channel; empty where codes are pixels.
        step: value of one code.
    """

    name: str
    channels: tuple[str, ...] = ()
    offset: tuple[float, ...] = ()
    step: tuple[float, ...] = ()


@dataclass(frozen=True)
class OutputMeaning:
    """One of several outputs.

    Attributes:
        name: of it.
        classes: what its elements stand for: classes, labels or values.
        units: of each value; empty where they are no values.
        mean: value that an element of 0 stands for.
        per_one: by how much the value grows with each 1.
    """

    name: str
    classes: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    per_one: tuple[float, ...] = ()


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
        inputs: of a network of several, in their order; the fields above then say nothing of the input.
        outputs: the same of outputs.
    """

    channels: tuple[str, ...] = ()
    offset: tuple[float, ...] = ()
    step: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    per_one: tuple[float, ...] = ()
    limits: tuple[tuple[str, float], ...] = ()
    inputs: tuple[InputMeaning, ...] = ()
    outputs: tuple[OutputMeaning, ...] = ()


def meaning_macros(meaning: Meaning) -> list[str]:
    """What `emit_meaning` defines, without the model's prefix."""
    found = ["INPUT_CHANNEL_NAMES"] if meaning.channels else []
    found += ["VALUE_MEANS", "VALUE_SCALES"] if meaning.mean else []
    found += ["VALUE_UNITS"] if meaning.units else []
    found += [name for name, _ in _of_ends(meaning)]
    return found + (["ANOMALY_LIMITS"] if meaning.limits else [])


def meaning_functions(meaning: Meaning) -> list[str]:
    """Names of the functions that are emitted, without the model's prefix."""
    codes = [f"input_code_{number}" for number, one in enumerate(meaning.inputs) if one.offset]
    return (["input_code"] if meaning.offset else []) + codes + (["anomaly"] if meaning.limits else [])


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
    if meaning.inputs or meaning.outputs:
        yield "/* Of each input and output by its number; value i of an output is means[i] + scales[i] * its scale *"
        yield " * (code - its zero point). */"
    for name, value in _of_ends(meaning):
        yield f"#define {macro}_{name} {value}"
    if meaning.limits:
        limits = dict(meaning.limits)
        yield f"/* Of each mode: an input whose {names.symbol}_anomaly is larger is an anomaly. */"
        yield f"#define {macro}_ANOMALY_LIMITS {_numbers([limits[mode] for mode in modes])}"


def _of_ends(meaning: Meaning) -> Iterator[tuple[str, str]]:
    """Of several inputs and outputs: macros and what they stand for."""
    for number, source in enumerate(meaning.inputs):
        yield f"INPUT_{number}_NAME", quoted(source.name)
        if source.channels:
            yield f"INPUT_{number}_CHANNEL_NAMES", _list(map(quoted, source.channels))
    for number, output in enumerate(meaning.outputs):
        yield f"OUTPUT_{number}_NAME", quoted(output.name)
        if output.classes:
            yield f"OUTPUT_{number}_CLASS_COUNT", f"{len(output.classes)}u"
            yield f"OUTPUT_{number}_CLASS_NAMES", _list(map(quoted, output.classes))
        if output.mean:
            yield f"OUTPUT_{number}_VALUE_MEANS", _numbers(output.mean)
            yield f"OUTPUT_{number}_VALUE_SCALES", _numbers(output.per_one)
        if output.units:
            yield f"OUTPUT_{number}_VALUE_UNITS", _list(map(quoted, output.units))


def emit_input_code(meaning: Meaning, names: Names) -> Iterator[str]:
    """The function that makes a code of a measured value, as in training, of several inputs one each; nothing where
    codes are pixels.
    """
    if meaning.offset:
        yield from _code(names, "", "", meaning.offset, meaning.step)
    for number, one in enumerate(meaning.inputs):
        if one.offset:
            yield from _code(names, f"_{number}", f" {number}, {comment(one.name)}", one.offset, one.step)


_CODE = (
    "/* The input's code for a measured value of a channel, in the unit of the training data; what lies outside",
    " * the range of training becomes the lowest or highest code, what is no number the lowest. */",
)


def _code(names: Names, suffix: str, which: str, offset: Sequence[float], step: Sequence[float]) -> Iterator[str]:
    count = len(offset)
    yield from _CODE
    if which:
        yield f"/* Of input{which}. */"
    yield f"static inline int8_t {names.symbol}_input_code{suffix}(float value, unsigned channel)"
    yield "{"
    yield f"    static const float offset[{count}] = {_numbers(offset)};"
    yield f"    static const float step[{count}] = {_numbers(step)};"
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
