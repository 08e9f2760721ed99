# SPDX-License-Identifier: Apache-2.0
"""Sleep on a core that counts nothing ends."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dimmer.targets.target import TARGETS
from tests.firmware_gen.runtime.c_library import compile_c

MAIN = """
#include "board.h"

int main(void) {
    board_sleep(20u);
    return (int)board_cycles();
}
"""


def test_sleep_without_a_counter_ends(tmp_path: Path) -> None:
    main = tmp_path / "main.c"
    main.write_text(MAIN)
    flags = (
        f"-I{TARGETS / 'app'}",
        f"-I{TARGETS / 'board'}",
        "-DDIMMER_CLOCK_HZ=8000000u",
        "-DDIMMER_MILLIVOLTS=3000u",
    )
    program = compile_c("gcc", [main, TARGETS / "board" / "cycles.c"], tmp_path / "sleep", *flags)
    assert subprocess.run([program], timeout=30, check=False).returncode == 0
