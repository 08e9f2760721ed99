# SPDX-License-Identifier: Apache-2.0
"""Values become codes and codes values as TFLite defines it, without a warning, in C and C++."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.emit.names import names_of
from dimmer.pipeline.bundles.packaging.input_output import io_header
from dimmer.pipeline.bundles.packaging.package import End
from tests.firmware_gen.harness import WARNINGS

PROGRAM = """
#include <stdio.h>
#include "dimmer_m_io.h"
int main(void) {
    static const float values[] = {VALUES};
    static const TYPE scores[] = {3, 9, 9, 1};
    unsigned i;
    for (i = 0; i < sizeof values / sizeof values[0]; ++i) {
        const TYPE code = dimmer_m_code(values[i]);
        printf("%d %.9g\\n", (int)code, (double)dimmer_m_value(code));
    }
    printf("%u\\n", dimmer_m_top(scores));
    return 0;
}
"""
ENDS = [("int8", 0.05, -20), ("int8", 1 / 64, 0), ("uint8", 0.1, 128), ("int8", 2.5, -128), ("int8", 0.3, 127)]


def header_of(kind: str, scale: float, zero_point: int) -> str:
    """The stand-in for the model's header: the macros that are used."""
    macros = "".join(
        f"#define DIMMER_M_{end}_SCALE {scale:.9g}f\n#define DIMMER_M_{end}_ZERO_POINT ({zero_point})\n"
        for end in ("INPUT", "OUTPUT")
    )
    return f"#include <stdint.h>\n{macros}"


@pytest.mark.parametrize(("kind", "scale", "zero_point"), ENDS)
@pytest.mark.parametrize("compiler", ["gcc -std=c99", "g++ -std=c++17 -x c++"])
def test_codes_and_values(compiler: str, kind: str, scale: float, zero_point: int, tmp_path: Path) -> None:
    source, output = End(kind, (1, 4), scale, zero_point), End(kind, (1, 4), scale, zero_point)
    (tmp_path / "dimmer_m.h").write_text(header_of(kind, scale, zero_point))
    (tmp_path / "dimmer_m_io.h").write_text(io_header(names_of("m"), [source], [output]))
    values = [scale * step for step in range(-300, 300, 7)] + [scale * (step + 0.4) for step in range(-9, 9)]
    values += [1e30, -1e30]
    text = ", ".join(f"(float){value!r}" for value in values) + ", (float)(0.0f * 1e38f)"
    (tmp_path / "main.c").write_text(PROGRAM.replace("VALUES", text).replace("TYPE", f"{kind}_t"))
    command = [*compiler.split(), *WARNINGS, "-I", str(tmp_path), str(tmp_path / "main.c"), "-o", str(tmp_path / "a")]
    subprocess.run(command, check=True)
    said = subprocess.run([tmp_path / "a"], check=True, capture_output=True, text=True).stdout.splitlines()
    low, high = (0, 255) if kind == "uint8" else (-128, 127)
    whole = np.round(np.array(values, np.float32) / np.float32(scale)).astype(np.float64)
    expected = np.clip(whole + zero_point, low, high).astype(int).tolist()
    assert [int(line.split()[0]) for line in said[:-2]] == expected
    assert [float(line.split()[1]) for line in said[:-2]] == pytest.approx(
        [scale * (code - zero_point) for code in expected], rel=1e-6, abs=1e-6
    )
    assert said[-2].split()[0] == str(zero_point)
    assert said[-1] == "1"


def test_a_nan_is_the_zero_point_and_floats_need_no_code(tmp_path: Path) -> None:
    text = io_header(names_of("m"), [End("float32", (1, 2), None, None)], [End("float32", (1, 2), None, None)])
    assert "dimmer_m_code" not in text
    assert "dimmer_m_value" not in text
    assert "dimmer_m_top(const float *scores)" in text
    (tmp_path / "dimmer_m.h").write_text(header_of("int8", 0.5, 3))
    (tmp_path / "dimmer_m_io.h").write_text(
        io_header(names_of("m"), [End("int8", (4,), 0.5, 3)], [End("int8", (4,), 1, 0)])
    )
    (tmp_path / "main.c").write_text(
        '#include <math.h>\n#include "dimmer_m_io.h"\nint main(void) { return dimmer_m_code(NAN) != 3; }\n'
    )
    subprocess.run(["gcc", "-I", str(tmp_path), str(tmp_path / "main.c"), "-o", str(tmp_path / "a")], check=True)
    subprocess.run([tmp_path / "a"], check=True)


def test_of_several_each_has_its_functions() -> None:
    """They end in the number that the model's macros have, and a comment names the tensor; floats need no code."""
    image, real = End("int8", (1, 4), 0.5, 3, "image */"), End("float32", (1, 2), None, None, "real")
    text = io_header(names_of("m"), [image, real], [real, image])
    assert "static inline int8_t dimmer_m_code_0(float value)" in text
    assert "value / DIMMER_M_INPUT_0_SCALE" in text
    assert "dimmer_m_code_1" not in text
    assert "dimmer_m_value_0" not in text
    assert "return DIMMER_M_OUTPUT_1_SCALE * (float)(code - DIMMER_M_OUTPUT_1_ZERO_POINT);" in text
    assert "dimmer_m_top_0(const float *scores)" in text
    assert "dimmer_m_top_1(const int8_t *scores)" in text
    assert "image */ that" not in text
