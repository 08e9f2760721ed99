# SPDX-License-Identifier: Apache-2.0
"""`dimmer_<model>_io.h`: values into codes and back, and which class is the most likely."""

from __future__ import annotations

import math

from dimmer.firmware_gen.emit.names import Names
from dimmer.firmware_gen.emit.text import HEADER
from dimmer.pipeline.bundles.packaging.package import End

_RANGES = {"int8": (-128, 127), "uint8": (0, 255)}


def io_header(names: Names, source: End, output: End) -> str:
    """The header: inline functions, which cost nothing where nobody calls them."""
    guard = f"{names.macro}_IO_H"
    lines = [HEADER, f"#ifndef {guard}", f"#define {guard}", "", f'#include "{names.header}"', ""]
    lines += ["#ifdef __cplusplus", 'extern "C" {', "#endif", ""]
    if source.scale is not None:
        low, high = _RANGES[source.type]
        lines += [
            "/* The code of the input that is nearest to a value; what is no number becomes the zero point. */",
            f"static inline {source.c_type} {names.table('code')}(float value)",
            "{",
            f"    const float code = value / {names.macro}_INPUT_SCALE;",
            "",
            "    if (!(code == code)) {",
            f"        return {source.zero_point};",
            "    }",
            f"    if (code >= {high - (source.zero_point or 0)}.0f) {{",
            f"        return {high};",
            "    }",
            f"    if (code <= {low - (source.zero_point or 0)}.0f) {{",
            f"        return {low};",
            "    }",
            f"    return ({source.c_type})({names.macro}_INPUT_ZERO_POINT + "
            "(int)(code < 0.0f ? code - 0.5f : code + 0.5f));",
            "}",
            "",
        ]
    if output.scale is not None:
        lines += [
            "/* The value that a code of the output stands for. */",
            f"static inline float {names.table('value')}({output.type}_t code)",
            "{",
            f"    return {names.macro}_OUTPUT_SCALE * (float)(code - {names.macro}_OUTPUT_ZERO_POINT);",
            "}",
            "",
        ]
    lines += [
        "/* Place of the largest element of the output, the first where several are. */",
        f"static inline unsigned {names.table('top')}(const {output.c_type} *scores)",
        "{",
        "    unsigned best = 0, i;",
        "",
        f"    for (i = 1; i < {math.prod(output.shape)}u; ++i) {{",
        "        if (scores[i] > scores[best]) {",
        "            best = i;",
        "        }",
        "    }",
        "    return best;",
        "}",
        "",
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"
