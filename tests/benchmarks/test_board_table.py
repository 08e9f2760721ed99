# SPDX-License-Identifier: Apache-2.0
"""docs/board_figures.md is what the command writes; its times and energies are those of each board's constants."""

from __future__ import annotations

import pytest

from dimmer.benchmarks.board_rows import MODELS, Cost, Figures, Row, read_figures
from dimmer.benchmarks.board_table import PAGE, figures_of, page
from dimmer.targets import load_target

COST = Cost("88", 10_000_000, 12_000_000)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(read_figures()), "run python -m benchmarks.boards"


def test_time_is_cycles_times_waits_over_the_clock_of_the_image() -> None:
    slow, fast = load_target("nucleo-l4r5zi"), load_target("nucleo-l4r5zi-120mhz")
    assert figures_of(slow, COST)[0] == pytest.approx(12e6 / 4e6 * 1000)
    milliseconds, millijoules, error, _ = figures_of(fast, COST)
    assert milliseconds == pytest.approx(12e6 * 1.08 / 120e6 * 1000)
    assert fast.energy is not None
    assert fast.energy.cycle_pc is not None
    volts = fast.energy.supply_mv.value / 1000
    assert millijoules == pytest.approx(12e6 * 1.08 * fast.energy.cycle_pc.value * volts * 1e-9)
    assert error == pytest.approx(0.1 / 1.08, rel=0.01)


def test_without_cycles_instructions_count_and_are_marked() -> None:
    board = load_target("esp32c3")
    counted = Cost("88", 10_000_000, None)
    assert figures_of(board, counted)[0] == pytest.approx(10e6 * 1.3 * 1.1 / 20e6 * 1000)
    text = page(Figures({"lamp": "0" * 64}, (Row("lamp", "esp32c3", 1, 100_000, 50_000, counted, counted),)))
    assert "| `esp32c3` | 20 | 97.7 of 4,096 | 48.8 of 320 | - | 715 / 715† ±27% |" in text


def test_without_constants_there_is_no_energy() -> None:
    milliseconds, millijoules, _, _ = figures_of(load_target("netduinoplus2"), COST)
    assert (milliseconds, millijoules) == (750.0, None)


def test_what_does_not_fit_and_what_was_not_measured_is_told() -> None:
    text = page(Figures({"lamp": "0" * 64}, (Row("lamp", "pico", 1, None, None, None, None, "9 bytes too many"),)))
    assert "| `pico` | 12 | does not fit: 9 bytes too many | | | | |" in text
    for model in MODELS:
        assert f"`python -m benchmarks.boards --model {model}` adds its table" in text
