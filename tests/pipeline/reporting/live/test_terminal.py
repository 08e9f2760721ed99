# SPDX-License-Identifier: Apache-2.0
"""The view on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from dimmer.pipeline.reporting.live.terminal import CURVE_WIDTH, facts, line_of, span, sparkline, view
from dimmer.pipeline.reporting.live.watched import State, Watched
from tests.pipeline.reporting.live.devices import lines


def state(said: list[str]) -> State:
    found = Watched("[a lamp]", {"80": 12.345})
    for line in said:
        found.take(0.0, line)
    return found.state()


def test_everything_is_shown() -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(view(state([*lines(61), "half", '{"event":"error","message":"[bold]"}'])))
    text = " ".join(out.getvalue().replace("│", "").split())
    for part in (
        "[a lamp]", "mode 80", "charge 40.0 %", "predicted end 66.7 min, by its trend", "latency 12.3 ms, modelled",
        "inferences 61, 88 50, 80 11", "predictions 3 4 5 6 7 8 9 0", "says [bold]", "unreadable 1 lines",
    ):  # fmt: skip
        assert part in text
    assert "█" in text


def test_before_the_first_line() -> None:
    empty = Watched("a lamp").state()
    assert dict(facts(empty)) == {
        "mode": "-",
        "charge": "-",
        "predicted end": "-",
        "latency": "-",
        "inferences": "0",
        "predictions": "-",
    }
    assert sparkline(empty.points).plain == ""
    Console(file=io.StringIO()).print(view(empty))


def test_left_out() -> None:
    left_out = state([*lines(1), '{"event":"inference","mode":null,"charge_permille":20,"millivolts":3024}'])
    assert dict(facts(left_out))["mode"] == "left out (last 88)"
    assert dict(facts(left_out))["inferences"] == "2, 1 left out, 88 1"
    assert line_of(left_out).startswith("mode left out (last 88)  charge 2.0 %, 3.02 V  predicted end -")


def test_the_curve_falls_and_names_its_modes() -> None:
    text = sparkline(state(lines(100)).points).plain
    bars, names = text[:CURVE_WIDTH], text[CURVE_WIDTH:]
    assert (bars[0], bars[-1]) == ("█", "▁")
    assert list(bars) == sorted(bars, reverse=True)
    assert names == "  88  80"


@pytest.mark.parametrize(("seconds", "text"), [(119.0, "119 s"), (120.0, "2.0 min"), (86_400.0, "24.0 h")])
def test_times(seconds: float, text: str) -> None:
    assert span(seconds) == text
