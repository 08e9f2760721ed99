# SPDX-License-Identifier: Apache-2.0
"""`dimmer_<model>_io.h`: values into codes and back, and which class is the most likely."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from dimmer.firmware_gen.emit.names import Names
from dimmer.firmware_gen.emit.text import HEADER, comment
from dimmer.pipeline.bundles.packaging.package import End

_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


def io_header(names: Names, inputs: Sequence[End], outputs: Sequence[End]) -> str:
    """The header: inline functions, which cost nothing where nobody calls them.

    Those of several inputs or outputs end in their number, as the model's macros for them have it.
    """
    guard = f"{names.macro}_IO_H"
    lines = [HEADER, f"#ifndef {guard}", f"#define {guard}", "", f'#include "{names.header}"', ""]
    lines += ["#ifdef __cplusplus", 'extern "C" {', "#endif", ""]
    for number, end in enumerate(inputs):
        lines += _code(names, end, *_numbered(inputs, number))
    for number, end in enumerate(outputs):
        lines += _value(names, end, *_numbered(outputs, number))
        lines += _top(names, end, *_numbered(outputs, number))
    lines += ["#ifdef __cplusplus", "}", "#endif", "", "#endif"]
    return "\n".join(lines) + "\n"


def _numbered(ends: Sequence[End], number: int) -> tuple[str, str]:
    """What a function's name ends in, and what a comment calls the end."""
    return ("", "") if len(ends) == 1 else (f"_{number}", f" {number}, {comment(ends[number].name)}")


def _code(names: Names, source: End, suffix: str, which: str) -> Iterator[str]:
    if source.scale is None:
        return
    low, high = _RANGES[source.type]
    macro = f"{names.macro}_INPUT{suffix}"
    yield f"/* The code of the input{which} that is nearest to a value; what is no number becomes the zero point. */"
    yield f"static inline {source.c_type} {names.table('code')}{suffix}(float value)"
    yield "{"
    yield f"    const float code = value / {macro}_SCALE;"
    yield ""
    yield "    if (!(code == code)) {"
    yield f"        return {source.zero_point};"
    yield "    }"
    yield f"    if (code >= {high - (source.zero_point or 0)}.0f) {{"
    yield f"        return {high};"
    yield "    }"
    yield f"    if (code <= {low - (source.zero_point or 0)}.0f) {{"
    yield f"        return {low};"
    yield "    }"
    yield (f"    return ({source.c_type})({macro}_ZERO_POINT + (int)(code < 0.0f ? code - 0.5f : code + 0.5f));")
    yield "}"
    yield ""


def _value(names: Names, output: End, suffix: str, which: str) -> Iterator[str]:
    if output.scale is None:
        return
    macro = f"{names.macro}_OUTPUT{suffix}"
    yield f"/* The value that a code of the output{which} stands for. */"
    yield f"static inline float {names.table('value')}{suffix}({output.c_type} code)"
    yield "{"
    yield f"    return {macro}_SCALE * (float)(code - {macro}_ZERO_POINT);"
    yield "}"
    yield ""


def _top(names: Names, output: End, suffix: str, which: str) -> Iterator[str]:
    yield f"/* Place of the largest element of the output{which}, the first where several are. */"
    yield f"static inline unsigned {names.table('top')}{suffix}(const {output.c_type} *scores)"
    yield "{"
    yield "    unsigned best = 0, i;"
    yield ""
    yield f"    for (i = 1; i < {math.prod(output.shape)}u; ++i) {{"
    yield "        if (scores[i] > scores[best]) {"
    yield "            best = i;"
    yield "        }"
    yield "    }"
    yield "    return best;"
    yield "}"
    yield ""
