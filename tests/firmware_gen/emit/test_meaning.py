# SPDX-License-Identifier: Apache-2.0
"""Measured values become the same codes in C as in training, and what outputs stand for is in the header."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.emit.header import NOTHING
from dimmer.firmware_gen.emit.meaning import (
    InputMeaning,
    Meaning,
    OutputMeaning,
    emit_anomaly,
    emit_input_code,
    emit_meaning,
    meaning_macros,
)
from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.data.given_back import errors
from dimmer.pipeline.data.scale import InputScale
from tests.firmware_gen.harness import WARNINGS
from tests.firmware_gen.networks import tiny_ends, tiny_resnet

MEANING = Meaning(
    channels=('a"x', "ay"),
    offset=(-6.376, 0.0),
    step=(0.04963, 1e-9),
    units=("kg", "m/s"),
    mean=(1.5, -2.0),
    per_one=(0.25, 3.0),
)


@pytest.fixture
def headers(tmp_path: Path) -> Path:
    (tmp_path / "resnet.tflite").write_bytes(tiny_resnet())
    generate([ModeSource("resnet", tmp_path / "resnet.tflite")], tmp_path / "out", name="x", meaning=MEANING)
    return tmp_path / "out"


def test_a_hundred_thousand_values_have_the_codes_of_training(tmp_path: Path, headers: Path) -> None:
    source = tmp_path / "code.c"
    source.write_text(
        '#include "dimmer_model.h"\n'
        "void codes(const float *values, int8_t *found, unsigned count);\n"
        "void codes(const float *values, int8_t *found, unsigned count)\n{\n    unsigned i;\n"
        "    for (i = 0; i < count; ++i) {\n        found[i] = dimmer_model_input_code(values[i], i % 2u);\n    }\n}\n"
    )
    library = tmp_path / "code.so"
    words = ["gcc", "-std=c99", "-O2", *WARNINGS, f"-I{headers}", f"-I{INCLUDE}", "-shared", "-fPIC", str(source)]
    subprocess.run([*words, "-o", str(library)], check=True)
    rng = np.random.default_rng(0)
    scale = InputScale(MEANING.offset, MEANING.step)
    values = np.stack([rng.uniform(-9, 9, 50_000), rng.uniform(-5e-8, 3e-7, 50_000)], 1).astype(np.float32)
    # On the edges between codes, where the last bit decides.
    values[:256, 0] = np.float32(-6.376) + (np.arange(256) - np.float32(0.5)) * np.float32(0.04963)
    values[256:260] = np.array([[np.inf, -np.inf], [3e38, -3e38], [0, 0], [-0.0, 1]], np.float32)
    found = np.zeros(values.shape, np.int8)
    ctypes.CDLL(str(library)).codes(
        ctypes.c_void_p(values.ctypes.data), ctypes.c_void_p(found.ctypes.data), values.size
    )
    assert (found == (scale.codes(values) ^ np.uint8(128)).view(np.int8)).all()


def test_names_units_and_scales_are_macros(tmp_path: Path, headers: Path) -> None:
    program = tmp_path / "main.c"
    program.write_text(
        '#include <stdio.h>\n#include "dimmer_model.h"\n'
        "static const char *const names[] = DIMMER_MODEL_INPUT_CHANNEL_NAMES;\n"
        "static const char *const units[] = DIMMER_MODEL_VALUE_UNITS;\n"
        "static const float means[] = DIMMER_MODEL_VALUE_MEANS, scales[] = DIMMER_X_VALUE_SCALES;\n"
        'int main(void) {\n    printf("%s %s %.9g %.9g", names[0], units[1], (double)means[1], (double)scales[0]);\n'
        "    return 0;\n}\n"
    )
    words = ["gcc", "-std=c99", *WARNINGS, f"-I{headers}", f"-I{INCLUDE}", str(program), "-o", str(tmp_path / "main")]
    subprocess.run(words, check=True)
    said = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=True).stdout
    assert said == "a_x m_s -2 0.25"


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert list(emit_meaning(NOTHING, names_of("x"), ["88"])) == list(emit_input_code(NOTHING, names_of("x"))) == []
    assert meaning_macros(NOTHING) == []


def test_an_anomaly_s_error_is_that_of_validation(tmp_path: Path) -> None:
    names = names_of("x")
    meaning = Meaning(limits=(("88", 0.25), ("80", 1.5)))
    assert "DIMMER_X_ANOMALY_LIMITS {1.5f}" in "\n".join(emit_meaning(meaning, names, ["80"]))
    ends = {"OUTPUT_SIZE": "2u", "INPUT_SCALE": "0.015625f", "INPUT_ZERO_POINT": "0"}
    ends |= {"OUTPUT_SCALE": "0.5f", "OUTPUT_ZERO_POINT": "(-3)"}
    source = tmp_path / "error.c"
    source.write_text(
        "#include <stdint.h>\n"
        + "".join(f"#define DIMMER_X_{name} {value}\n" for name, value in ends.items())
        + "\n".join(emit_anomaly(meaning, names))
        + "\nfloat error(const int8_t *a, const int8_t *b);\nfloat error(const int8_t *a, const int8_t *b)\n"
        "{\n    return dimmer_x_anomaly(a, b);\n}\n"
    )
    library = tmp_path / "error.so"
    subprocess.run(["gcc", "-std=c99", *WARNINGS, "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    error = ctypes.CDLL(str(library)).error
    error.restype = ctypes.c_float
    given, back = np.array([64, -128], np.int8), np.array([0, -5], np.int8)
    wanted = errors(0.5 * (back[np.newaxis] + 3.0), np.array([[0, 64, -128]], np.int8))
    assert error(ctypes.c_void_p(given.ctypes.data), ctypes.c_void_p(back.ctypes.data)) == wanted[0] == 0.625


SEVERAL = Meaning(
    inputs=(InputMeaning("image", ("grey",)), InputMeaning("imu", ("ax", "ay"), MEANING.offset, MEANING.step)),
    outputs=(
        OutputMeaning("kind", ("none", "ring")),
        OutputMeaning("load", ("w", "h"), ("kg", "m"), (1.5, -2.0), (0.25, 3.0)),
    ),
)


def test_several_inputs_and_outputs_have_theirs_by_number(tmp_path: Path) -> None:
    (tmp_path / "ends.tflite").write_bytes(tiny_ends())
    generate([ModeSource("ends", tmp_path / "ends.tflite")], tmp_path / "out", name="x", meaning=SEVERAL)
    program = tmp_path / "main.c"
    program.write_text(
        '#include <stdio.h>\n#include "dimmer_model.h"\n'
        "static const char *const kinds[DIMMER_MODEL_OUTPUT_0_CLASS_COUNT] = DIMMER_MODEL_OUTPUT_0_CLASS_NAMES;\n"
        "static const char *const units[] = DIMMER_MODEL_OUTPUT_1_VALUE_UNITS;\n"
        "static const char *const channels[] = DIMMER_MODEL_INPUT_1_CHANNEL_NAMES;\n"
        "static const float means[] = DIMMER_MODEL_OUTPUT_1_VALUE_MEANS, scales[] = DIMMER_X_OUTPUT_1_VALUE_SCALES;\n"
        "int main(void) {\n"
        '    printf("%s %s %s", DIMMER_MODEL_INPUT_0_NAME, DIMMER_MODEL_OUTPUT_1_NAME, kinds[1]);\n'
        '    printf(" %s %s %g %g", units[1], channels[1], (double)means[1], (double)scales[0]);\n'
        '    printf(" %d %d", dimmer_model_input_code_1(-6.376f, 0), dimmer_x_input_code_1(1e9f, 7));\n'
        "    return 0;\n}\n"
    )
    words = [
        *("gcc", "-std=c99", *WARNINGS, f"-I{tmp_path / 'out'}", f"-I{INCLUDE}"),
        *(str(program), "-o", str(tmp_path / "main")),
    ]
    subprocess.run(words, check=True)
    said = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=True).stdout
    assert said == "image load ring m ay -2 0.25 -128 127"
