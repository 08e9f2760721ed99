# SPDX-License-Identifier: Apache-2.0
"""States are set by the first steps of an inference, where nobody has since a reset."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE, sources
from dimmer.firmware_gen.lower.states import begin_states
from dimmer.firmware_gen.lower.steps import Buffer, Weights
from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.lower.lowered import values
from tests.firmware_gen.networks import tiny_state

_MAIN = r"""
#include <string.h>
#include "dimmer_model.h"

static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(16)));
static int8_t first[2][DIMMER_MODEL_OUTPUT_SIZE];

int main(void) {
    dimmer_t d;
    int run;
    int i;

    memset(&d, 0, sizeof d);
    dimmer_model_reset(&d); /* as where no model could be started */
    memset(arena, 0xA5, sizeof arena);
    if (dimmer_init(&d, &dimmer_model, arena, sizeof arena) != DIMMER_OK) {
        return 1;
    }
    for (run = 0; run < 2; ++run) {
        for (i = 0; i < 2; ++i) {
            memset(dimmer_input(&d), 40, DIMMER_MODEL_INPUT_SIZE);
            (void)dimmer_invoke(&d);
            if (run == 0) {
                memcpy(first[i], dimmer_output(&d), DIMMER_MODEL_OUTPUT_SIZE);
            } else if (memcmp(first[i], dimmer_output(&d), DIMMER_MODEL_OUTPUT_SIZE) != 0) {
                return 2;
            }
        }
        dimmer_model_reset(&d);
    }
    return memcmp(first[0], first[1], DIMMER_MODEL_OUTPUT_SIZE) == 0 ? 3 : 0;
}
"""


def test_one_code_is_filled_in_and_others_are_copied() -> None:
    filled, copied = begin_states([(1, b"\xfe" * 6, "a"), (2, b"\x01\x02", "b")], 3)
    assert values(filled, "guard", "output", "size", "fill", "from_weights", "last") == (
        *(Buffer(3), Buffer(1), 6, -2, 0, 0),
    )
    assert values(copied, "initial", "from_weights", "last") == (Weights(b"\x01\x02", (2,)), 1, 1)
    assert filled.fields["magic"] == copied.fields["magic"] != 0


def test_a_reset_makes_the_first_inferences_repeat(tmp_path: Path) -> None:
    path = tmp_path / "state.tflite"
    path.write_bytes(tiny_state())
    model = generate([ModeSource("state", path)], tmp_path, name="stream")
    assert "#define DIMMER_STREAM_STATE_SIZE 36u" in (tmp_path / "dimmer_stream.h").read_text()
    main = tmp_path / "main.c"
    main.write_text(_MAIN)
    files = [main, *model.sources, *sources(model.kernels)]
    words = [
        "gcc",
        "-std=gnu11",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsanitize=undefined",
        f"-I{INCLUDE}",
        f"-I{tmp_path}",
        *map(str, files),
    ]
    subprocess.run([*words, "-lm", "-o", str(tmp_path / "main")], check=True)
    assert subprocess.run([str(tmp_path / "main")], check=False).returncode == 0
