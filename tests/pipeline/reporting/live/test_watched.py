# SPDX-License-Identifier: Apache-2.0
"""What is made of a device's lines."""

from __future__ import annotations

import json

import pytest

from dimmer.pipeline.reporting.live.watched import LAST, MOST_MODES, MOST_POINTS, Point, Prediction, Share, Watched
from tests.pipeline.reporting.live.devices import lines


def watched(said: list[str], modelled: dict[str, float] | None = None) -> Watched:
    found = Watched("a lamp", modelled)
    for number, line in enumerate(said):
        found.take(float(number), line)
    return found


def charge(time_s: int, permille: int) -> str:
    return json.dumps({"event": "battery", "time_s": time_s, "charge_permille": permille, "mode": "8"})


def test_mode_charge_end_and_predictions() -> None:
    seen = Watched("a lamp", {"80": 12.5})
    changes = [seen.take(0.0, line) for line in lines(61)]
    assert [number for number, changed in enumerate(changes) if changed] == [0, 50]
    state = seen.state()
    assert (state.source, state.mode, state.running, state.charge_permille) == ("a lamp", "80", True, 400)
    assert state.left_s == pytest.approx(4000)
    assert state.left_by == "its trend"
    assert (state.latency_ms, state.latency_modelled) == (12.5, True)
    assert state.modes == (Share("88", 50), Share("80", 11))
    assert (state.inferences, state.left_out, state.unreadable, state.over) == (61, 0, 0, False)
    assert len(state.predictions) == LAST
    assert state.predictions[-1] == Prediction(6000, "80", 0, None)
    seen.end()
    assert seen.state().over


def test_what_the_device_knows_better_counts() -> None:
    state = watched(lines(20, life_s=777, latency_us=2500.0, score=9), {"88": 12.5}).state()
    assert (state.left_s, state.left_by, state.latency_ms, state.latency_modelled) == (777, "the device", 2.5, False)
    assert state.predictions[-1].score == 9


def test_an_inference_that_was_left_out() -> None:
    said = [*lines(2), '{"event":"inference","time_s":300,"charge_permille":5,"mode":null}']
    state = watched(said).state()
    assert (state.mode, state.running, state.left_out, state.inferences) == ("88", False, 1, 3)
    assert state.points[-1] == Point(300, 5, None)


def test_no_end_is_told_before_the_charge_falls_or_after_it_was_charged() -> None:
    assert Watched("a lamp").state().left_s is None
    assert watched(lines(1)).state().left_s is None
    assert watched([charge(10 * n, 900) for n in range(9)]).state().left_s is None
    assert watched([*lines(60), charge(9000, 1000)]).state().left_s is None


def journal(at_s: float, permille: int) -> str:
    fields = {"DIMMER_MODE": "80", "DIMMER_CHARGE_PERMILLE": str(permille)}
    stamp = str(round(1_790_000_000_000_000 + 1e6 * at_s))
    return json.dumps({"MESSAGE": "class 3 in mode 80", "__REALTIME_TIMESTAMP": stamp, **fields})


def test_lines_of_a_journal_that_come_at_once_are_of_their_own_times() -> None:
    seen = Watched("a pipe")
    for number in range(10):
        seen.take(0.001 * number, journal(60 * number, 900 - 10 * number))
    state = seen.state()
    assert [round(point.time_s) for point in state.points] == [60 * number for number in range(10)]
    assert state.left_s == pytest.approx(60 * 81)
    assert state.left_by == "its trend"


def test_lines_without_a_time_that_come_at_once_have_no_trend() -> None:
    seen = Watched("a pipe")
    for number in range(10):
        seen.take(0.001 * number, json.dumps({"event": "result", "mode": "80", "charge_permille": 900 - 10 * number}))
    assert seen.state().left_s is None
    for number in range(1, 4):
        line = json.dumps({"event": "result", "mode": "80", "charge_permille": 810 - 10 * number})
        seen.take(60.0 * number, line)
    # What had waited tells of one moment: 810 then, and 10 less a minute since.
    assert seen.state().left_s == pytest.approx(60 * 78, rel=0.01)


def test_some_seconds_are_no_trend() -> None:
    said = [json.dumps({"event": "result", "mode": "80", "charge_permille": 900 - 3 * number}) for number in range(12)]
    assert watched(said[:9]).state().left_s is None
    assert watched(said).state().left_s == pytest.approx(867 / 3)


def test_a_curve_stays_short_and_ends_where_the_device_is() -> None:
    said = [charge(t, 1000 - t // 5) for t in range(3000)]
    state = watched(said).state()
    assert len(state.points) <= MOST_POINTS + 1
    assert state.points[0].time_s == 0
    assert state.points[-1].time_s > 2900
    assert state.left_s == pytest.approx(5 * 1000 - 3000, rel=0.02)
    # A clock that is set begins anew.
    assert watched([*said, said[0]]).state().points == (Point(0, 1000, "8"),)


def test_half_lines_and_errors_are_told() -> None:
    state = watched(['{"event":"ba', "", lines(1)[0], '{"event":"error","message":"no model"}']).state()
    assert (state.unreadable, state.message, state.inferences) == (1, "no model", 1)


def test_modes_without_end_are_damage() -> None:
    said = [json.dumps({"event": "battery", "mode": str(number)}) for number in range(1000)]
    state = watched([*said, said[0]]).state()
    assert len(state.modes) == MOST_MODES
    assert (state.unreadable, state.inferences, state.mode) == (1000 - MOST_MODES, MOST_MODES + 1, "0")


@pytest.mark.parametrize("at", [MOST_POINTS - 2, MOST_POINTS - 1])
def test_a_trend_begins_at_the_charge_in_a_curve_that_is_halved_too(at: int) -> None:
    said = [charge(10 * n, 100 if n < at else 1000 - 5 * (n - at)) for n in range(at + 40)]
    assert watched(said).state().left_s == pytest.approx(10 * (1000 - 5 * 39) / 5, rel=0.02)
