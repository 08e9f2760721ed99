# SPDX-License-Identifier: Apache-2.0
"""A model's headers: sizes, scales, classes, names."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.read.modes import ModeSource, read_modes
from tests.firmware_gen.harness import WARNINGS
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.networks import tiny_ends, tiny_resnet


def test_general_names_are_those_of_the_model(tmp_path: Path) -> None:
    model = generate(write_modes(tmp_path), tmp_path / "out", None, KnownAnswers(bytes(300), (bytes(6),) * 3), name="x")
    source = tmp_path / "one.c"
    source.write_text(
        '#include "dimmer_known_answers.h"\n#include "dimmer_kernels.h"\n'
        "typedef char check[DIMMER_MODEL_ARENA_SIZE == DIMMER_X_ARENA_SIZE && DIMMER_MODEL_MODE_COUNT == 3 &&\n"
        "                   (int)DIMMER_MODEL_MODE_800 == (int)DIMMER_X_MODE_800 ? 1 : -1];\n"
        "const void *const all[] = {&dimmer_model, dimmer_known_input, dimmer_known_outputs};\n"
    )
    command = ["gcc", "-std=c99", *WARNINGS, f"-I{tmp_path / 'out'}", f"-I{INCLUDE}", str(source)]
    subprocess.run([*command, "-fsyntax-only"], check=True)
    expanded = subprocess.run([*command, "-E"], capture_output=True, text=True, check=True).stdout
    assert "all[] = {&dimmer_x, dimmer_x_known_input, dimmer_x_known_outputs};" in expanded
    assert model.symbol == "dimmer_x"


def test_the_header_says_scales_and_classes(tmp_path: Path) -> None:
    (tmp_path / "resnet.tflite").write_bytes(tiny_resnet())
    modes = [ModeSource("resnet", tmp_path / "resnet.tflite")]
    graph = read_modes(modes)[0].graph
    output, source = graph.tensors[graph.output], graph.tensors[graph.input]
    classes = [f'class "{number}"' for number in range(output.size)]
    generate(modes, tmp_path / "out", name="x", classes=classes)
    program = tmp_path / "main.c"
    program.write_text(
        '#include <stdio.h>\n#include "dimmer_model.h"\n'
        "static const char *const names[DIMMER_X_CLASS_COUNT] = DIMMER_MODEL_CLASS_NAMES;\n"
        "int main(void) {\n"
        '    printf("%.9g %d %.9g %d %s\\n", (double)DIMMER_X_INPUT_SCALE, DIMMER_X_INPUT_ZERO_POINT,\n'
        "           (double)DIMMER_MODEL_OUTPUT_SCALE, DIMMER_MODEL_OUTPUT_ZERO_POINT, names[1]);\n"
        "    return 0;\n}\n"
    )
    words = ["gcc", "-std=c99", *WARNINGS, f"-I{tmp_path / 'out'}", f"-I{INCLUDE}", str(program)]
    subprocess.run([*words, "-o", str(tmp_path / "main")], check=True)
    said = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=True).stdout.split(maxsplit=4)
    expected = [f"{np.float32(source.q.scale):.9g}", str(source.q.zero_point)]
    assert said[:4] == [*expected, f"{np.float32(output.q.scale):.9g}", str(output.q.zero_point)]
    assert said[4] == "class _1_\n"
    with pytest.raises(FirmwareGenError, match=r"2 names of classes for an output of \d+ elements: name every element"):
        generate(modes, tmp_path / "out", classes=["a", "b"])


def test_several_inputs_and_outputs_have_places_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "ends.tflite"
    path.write_bytes(tiny_ends())
    generate([ModeSource("ends", path)], tmp_path / "out", name="ends")
    header = (tmp_path / "out" / "dimmer_ends.h").read_text()
    assert "#define DIMMER_ENDS_INPUT_COUNT 2u" in header
    assert "#define DIMMER_ENDS_INPUT_1_OFFSET 48u /* bytes into them; context */" in header
    assert "#define DIMMER_ENDS_OUTPUT_1_SIZE 12u /* bytes: float32[1,3] */" in header
    assert "OUTPUT_1_SCALE" not in header
    general = (tmp_path / "out" / "dimmer_model.h").read_text()
    assert "#define DIMMER_MODEL_OUTPUT_3_OFFSET DIMMER_ENDS_OUTPUT_3_OFFSET" in general
