# SPDX-License-Identifier: Apache-2.0
"""What the product example takes for its battery without a gauge, and for the time."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import sources
from dimmer.targets.target import TARGETS
from tests.examples.test_examples import write_build
from tests.firmware_gen.runtime.c_library import compile_c

BOARD = r"""
#include <stdio.h>
#include <stdlib.h>

#include "board.h"
#include "platform.h"

static uint32_t turns;

void board_pin(int high) { (void)high; }
int platform_start_counter(void) { return 1; }
uint32_t platform_cycles(void) { static uint32_t cycles; return cycles += CYCLES; }
uint32_t platform_microseconds(uint32_t cycles) { return cycles / 4u; }
void platform_print(const char *text, size_t size) { (void)fwrite(text, 1, size, stdout); }
void board_sleep(uint32_t milliseconds) {
    printf("{\"slept\": %u}\n", (unsigned)milliseconds);
    if (++turns == 3u) { exit(0); }
}
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """A folder with the generated C of three modes, and what it is compiled with."""
    builds = tmp_path_factory.mktemp("product")
    made = write_build(builds, "tiny", "host", False)
    files = [*made.sources, *sources(made.kernels), TARGETS / "app" / "text.c", TARGETS / "board" / "product.c"]
    return builds / "tiny" / "host", files


def said(build: tuple[Path, list[Path]], folder: Path, cycles: int, own: str = "") -> list[dict[str, object]]:
    """Three turns of a core of 4 MHz that takes so many cycles for an inference."""
    generated, files = build
    board = folder / "board.c"
    board.write_text(BOARD + own)
    flags = (f"-I{TARGETS / 'app'}", f"-I{TARGETS / 'board'}", f"-I{generated}", f"-DCYCLES={cycles}u")
    given = ("-DDIMMER_CLOCK_HZ=4000000u", "-DDIMMER_MILLIVOLTS=3700u", '-DDIMMER_BOARD="test"')
    # The counter's own file, without its counters: the weak functions are the board's.
    files = [board, *files, TARGETS / "board" / "cycles.c"]
    program = compile_c("gcc", files, folder / "product", *flags, *given)
    done = subprocess.run([program], capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("own", "millivolts", "permille"),
    [
        ("", 3700, 583),  # nobody measures: target.toml says what there is
        ("uint32_t board_supply(void) { return 2600u; }", 2600, 600),
        ("uint32_t board_supply(void) { return 3000u; }", 3000, 1000),
        ("uint32_t board_supply(void) { return 3000u; } uint32_t board_millivolts(void) { return 3600u; }", 3600, 500),
    ],
)
def test_a_full_coin_cell_is_no_empty_lithium_cell(
    own: str, millivolts: int, permille: int, build: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    """What the chip measures at its own supply is a coin cell's voltage, and a gauge of one's own a lithium cell's."""
    found = [one for one in said(build, tmp_path, 4_000_000, own) if "event" in one]
    assert [(one["millivolts"], one["charge_permille"]) for one in found] == [(millivolts, permille)] * 3


def test_the_time_counts_inferences(build: tuple[Path, list[Path]], tmp_path: Path) -> None:
    """A second of each ten is the inference's; one of 25 s leaves no sleep."""
    found = said(build, tmp_path, 4_000_000)
    assert [one["slept"] for one in found if "slept" in one] == [9000] * 3
    assert [one["time_s"] for one in found if "event" in one] == [0, 10, 20]
    other = tmp_path / "slow"
    other.mkdir()
    found = said(build, other, 100_100_000)
    assert [one["latency_us"] for one in found if "event" in one] == [25_025_000] * 3
    assert [one["slept"] for one in found if "slept" in one] == [0] * 3
    assert [one["time_s"] for one in found if "event" in one] == [0, 25, 50]
