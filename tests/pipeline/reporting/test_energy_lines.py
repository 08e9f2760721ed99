# SPDX-License-Identifier: Apache-2.0
"""Energy as people read it."""

from __future__ import annotations

from dataclasses import replace

from dimmer.pipeline.artifacts.energy import Quantity
from dimmer.pipeline.reporting.energy_lines import Shown, days_line, energy_line, energy_rows, energy_text, scaled
from dimmer.pipeline.reporting.page import cards, render_page
from tests.pipeline.reporting.report_example import example


def test_large_figures_are_in_thousandths() -> None:
    assert scaled(Quantity(2400, 2100, 2700), "J") == Shown("2.4 mJ", "2.1 to 2.7")
    assert scaled(Quantity(5000, 4200, 5800), "J") == Shown("5.0 mJ", "4.2 to 5.8")
    assert scaled(Quantity(240, 210, 270), "C") == Shown("240 µC", "210 to 270")
    assert scaled(Quantity(2_400_000, 2_400_000, 2_400_000), "J") == Shown("2.4 J", "")


def test_a_row_has_every_figure_with_its_interval() -> None:
    rows = energy_rows(example())
    assert [row.name for row in rows] == [mode.name for mode in example().modes]
    top = rows[0]
    assert top.accuracy == example().modes[0].accuracy
    assert top.cycles == example().modes[0].cycles
    assert all(" to " in one.interval for one in (top.milliseconds, top.charge, top.energy, top.period, top.life))
    assert top.energy.value.endswith("mJ")
    assert top.sleep == "0.1%"
    assert energy_rows(replace(example(), energy=None)) == []


def test_the_terminal_says_how_much_is_known_and_of_what_board() -> None:
    data = example()
    assert data.energy is not None
    line = energy_line(data.energy)
    assert line.startswith("energy: modelled, +-1")
    assert "nucleo-l4r5zi at 1.8 V and 120 MHz, linear regulator" in line
    assert energy_text(data.modes[0], data.energy) == f"{data.energy.modes[0].inference_uj.value:,} uJ"
    assert energy_text(replace(data.modes[0], energy_uj=None), None) == "-"
    days = days_line(data.energy)
    assert days.startswith("220 mAh, every 1 s: ")
    assert "days in 88.88.88" in days
    assert "most saves mode, 80.80.80 throughout: 5" in days


def test_the_page_has_the_modes_the_levers_and_the_constants_with_their_sources() -> None:
    data = example()
    page = render_page(data, {})
    assert data.energy is not None
    for wanted in (
        "<h2>Energy</h2>",
        "milliseconds",
        "coulombs a day",
        "quiet hours",
        "wait_factor",
        "Stop 2 with RTC",
    ):
        assert wanted in page
    assert data.energy.modes[0].life_days.parts()[1] in page
    assert "at 1.8 V and 120 MHz" in page
    measured = replace(
        data.energy,
        kind="measured",
        constants=(replace(data.energy.constants[0], kind="measured", date="2026-11-29", trace="a.csv"),),
    )
    shown = replace(data, energy=measured)
    assert "measured, 2026-11-29, a.csv" in render_page(shown, {})
    assert "an inference, measured" in [card.detail for card in cards(shown)]
    assert "<h2>Energy</h2>" not in render_page(replace(data, energy=None), {})
