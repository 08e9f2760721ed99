# SPDX-License-Identifier: Apache-2.0
"""The functions that Python calls, called from C under the sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, sources
from dimmer.targets.target import TARGETS
from tests.firmware_gen.runtime.c_library import SANITIZED, compile_c
from tests.pipeline.hosted.examples import modes_folder

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library.c"

static int fail(const char *what) {
    (void)puts(what);
    return 1;
}

int main(void) {
    static const uint8_t wanted[4][5] = {
        {0, 0, 0, 0, 0}, {2, 2, 2, 2, 2}, {0, 1, 2, 1, 0}, {255, 255, 255, 255, 255}};
    const size_t bytes = (size_t)library_bytes();
    const size_t in = library_size(0), out = library_size(1);
    /* Exactly what is needed, so that a byte too much is seen. */
    void *memory = aligned_alloc(DIMMER_ARENA_ALIGN, bytes);
    void *other = aligned_alloc(DIMMER_ARENA_ALIGN, bytes);
    uint8_t *inputs = (uint8_t *)malloc(3u * in);
    uint8_t *outputs = (uint8_t *)malloc(3u * out);
    uint8_t *again = (uint8_t *)malloc(out);
    uint32_t i, k;

    if (memory == NULL || other == NULL || inputs == NULL || outputs == NULL || again == NULL) {
        return fail("no memory");
    }
    memset(memory, 0x5A, bytes);
    if (library_open(memory, bytes - 1u) != DIMMER_ERR_ARENA_SIZE || library_open(NULL, bytes) == DIMMER_OK ||
        library_open(memory, bytes) != DIMMER_OK || library_open(other, bytes) != DIMMER_OK) {
        return fail("open");
    }
    for (i = 0; i < 3u * in; ++i) {
        inputs[i] = (uint8_t)(i * 37u + i / 11u);
    }
    for (k = 0; k < 4u; ++k) {
        if (library_run(memory, wanted[k], inputs, outputs, 3u) != DIMMER_OK) {
            return fail("run");
        }
        for (i = 0; k < 3u && i < library_positions(); ++i) {
            if (library_ran(memory, i) != wanted[k][i]) {
                return fail("ran");
            }
        }
        for (i = 0; i < 3u; ++i) {
            if (library_run(other, wanted[k], inputs + i * in, again, 1u) != DIMMER_OK ||
                memcmp(again, outputs + i * out, out) != 0) {
                return fail("one at a time is another result");
            }
        }
        if (library_mode(memory) != 0u) {
            return fail("the mode stays");
        }
    }
    for (i = 0; i < library_gated_blocks() + 2u; ++i) {
        if ((library_bits(memory, i) == DIMMER_BITS_UNKNOWN) != (i >= library_gated_blocks())) {
            return fail("bits");
        }
    }
    library_set_level(memory, 51u);
    if (library_level(memory) != 51u || library_level(other) != 255u ||
        library_run(memory, wanted[0], inputs, outputs, 0u) != DIMMER_OK) {
        return fail("level");
    }
    if (library_set_mode(memory, 3u) != DIMMER_ERR_MODE || library_set_mode(memory, 256u) != DIMMER_ERR_MODE ||
        library_report_battery(memory, 1u, 100u, 3000u, 0u) != DIMMER_OK || library_mode(memory) != 2u) {
        return fail("battery");
    }
    if (strcmp(library_name(), "blocks") != 0 || strcmp(library_mode_name(2), "800") != 0 || library_modes() != 3u ||
        library_status_text(DIMMER_ERR_MODE)[0] == '\0' || library_version() != LIBRARY_VERSION ||
        library_tiers() != 2u || library_type(1) != DIMMER_INT8 || library_zero_point(0) != 0 ||
        library_scale(0) != 1.0f / 64.0f) {
        return fail("facts");
    }
    free(again);
    free(outputs);
    free(inputs);
    free(other);
    free(memory);
    return 0;
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_every_function_within_its_memory(name: str, tmp_path: Path) -> None:
    generated = modes_folder(tmp_path, gated=True) / "host" / "firmware"
    main = tmp_path / "main.c"
    main.write_text(PROGRAM)
    folders = [f"-I{folder}" for folder in (generated, INCLUDE, TARGETS / "library")]
    files = [main, generated / "dimmer_blocks.c", *sources()]
    compile_c(name, files, tmp_path / "main", "-std=c11", "-O1", "-Wno-float-equal", *SANITIZED, *folders)
    ran = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
