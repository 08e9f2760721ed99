# SPDX-License-Identifier: Apache-2.0
"""What class a firmware says: none where the output is no classes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dimmer.targets.target import TARGETS
from tests.firmware_gen.runtime.c_library import compile_c

MODEL = """
#include "dimmer_tables.h"

extern const dimmer_model_t dimmer_model;
"""

MAIN = """
#include <stdlib.h>

#include "predicted.h"

const dimmer_model_t dimmer_model = {.dims = {.output = {.size = 3, .type = TYPE}}};

static const int8_t codes[3] = {-3, 100, 7};

const int8_t *dimmer_output(const dimmer_t *d) {
    return d->mode_count != 0u ? codes : NULL;
}

int main(int argc, char **argv) {
    dimmer_t network = {0};

    network.mode_count = (uint8_t)atoi(argv[argc - 1]);
    return predicted_class(&network) + 1;
}
"""


@pytest.mark.parametrize(
    ("kind", "defines", "modes", "wanted"),
    [
        ("DIMMER_INT8", (), 1, 1),
        ("DIMMER_UINT8", (), 1, 0),  # 253, 100 and 7
        ("DIMMER_FLOAT32", (), 1, -1),
        ("DIMMER_INT8", (), 0, -1),
        ("DIMMER_INT8", ("OUTPUT_COUNT",), 1, -1),
        ("DIMMER_INT8", ("VALUE_MEANS",), 1, -1),
        ("DIMMER_INT8", ("ANOMALY_LIMITS",), 1, -1),
    ],
)
def test_the_class_is_the_largest_where_there_are_classes(
    tmp_path: Path, kind: str, defines: tuple[str, ...], modes: int, wanted: int
) -> None:
    (tmp_path / "dimmer_model.h").write_text(MODEL)
    (tmp_path / "main.c").write_text(MAIN)
    flags = (f"-I{tmp_path}", f"-I{TARGETS / 'app'}", f"-DTYPE={kind}", *(f"-DDIMMER_MODEL_{name}" for name in defines))
    # What it needs not is unused then.
    program = compile_c("gcc", [tmp_path / "main.c"], tmp_path / "program", *flags, "-Wno-unused-const-variable")
    assert subprocess.run([program, str(modes)], check=False).returncode == wanted + 1
