# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from dimmer.firmware_gen.features.detector import NEVER, DetectorSpec
from dimmer.firmware_gen.features.spec import SpecError
from dimmer.firmware_gen.features.tune import Event, Outcome, Recording, evaluate, gate_energy, tune


def recording(seed: int, length: int = 4000) -> Recording:
    """Noise with an event of class 1 every hundred inferences, some of them faint."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(-90, 25, size=(length, 3))
    events = []
    for begin in range(50, length - 20, 100):
        scores[begin : begin + 6, 1] += rng.uniform(60, 250)
        events.append(Event(1, begin, begin + 6))
    made: npt.NDArray[np.int8] = np.asarray(np.clip(scores, -128, 127), dtype=np.int8)
    return Recording(made, tuple(events))


def test_hits_misses_and_alarms_are_counted() -> None:
    scores = np.full((30, 2), -128, dtype=np.int8)
    for place in (5, 12, 14, 25):
        scores[place, 1] = 100
    events = (Event(1, 4, 8), Event(1, 11, 15), Event(1, 18, 20))
    detector = DetectorSpec((NEVER, 0), average=1, quiet=0)
    outcome = evaluate(detector, [Recording(scores, events)], 120.0, 0)
    # The second detection of the second event hits nothing any more.
    assert (outcome.events, outcome.missed, outcome.alarms, outcome.hours) == (3, 1, 2, 1.0)
    assert evaluate(detector, [Recording(scores, events)], 120.0, 6).missed == 0
    assert evaluate(DetectorSpec((0, NEVER), 1, 0), [Recording(scores, events)], 120.0, 0).missed == 3


@pytest.mark.parametrize("alarms", [0.0, 2.0, 30.0])
def test_the_threshold_keeps_to_the_alarms_on_other_recordings_too(alarms: float) -> None:
    tuned = tune([recording(1), recording(2)], [1], 1.0, alarms, average=3, quiet=10, tolerance=4)
    assert tuned.outcome.alarms_per_hour <= alarms
    assert tuned.detector.thresholds[0] == tuned.detector.thresholds[2] == NEVER
    lower = [outcome for threshold, outcome in tuned.tried if threshold < tuned.detector.thresholds[1]]
    assert all(one.missed >= tuned.outcome.missed or one.alarms_per_hour > alarms for one in lower[:1])
    again = evaluate(tuned.detector, [recording(3), recording(4)], 1.0, 4)
    assert again.alarm_interval[0] <= alarms
    assert again.missed < again.events / 2


def test_more_alarms_never_mean_more_misses() -> None:
    missed = [
        tune([recording(1)], [1], 1.0, alarms, average=3, quiet=10, tolerance=4).outcome.missed for alarms in (0, 5, 60)
    ]
    assert missed == sorted(missed, reverse=True)


def test_intervals_hold_what_was_counted() -> None:
    outcome = Outcome(events=100, missed=7, alarms=4, hours=2.0)
    low, high = outcome.miss_interval
    assert low < 0.07 < high
    assert (low, high) == pytest.approx((0.0343, 0.1375), abs=1e-3)
    low, high = outcome.alarm_interval
    assert low < 2.0 < high
    assert Outcome(0, 0, 0, 1.0).miss_interval == (0.0, 1.0)
    assert Outcome(10, 0, 0, 1.0).alarm_interval[0] == 0.0


def test_a_gate_saves_the_inferences_that_it_leaves_out() -> None:
    energy = gate_energy(np.array([True] + [False] * 9), 180_000, 2.0, 500.0, 10)
    assert energy.open_share == pytest.approx(0.1)
    assert energy.without_uj == pytest.approx(180_000 * 2 + 18_000 * 500)
    assert energy.with_uj == pytest.approx(180_000 * 2 + 1800 * 500)


def test_what_cannot_be_tuned_is_refused() -> None:
    with pytest.raises(SpecError, match="recordings must hold"):
        tune([], [1], 1.0, 1.0)
    with pytest.raises(SpecError, match="wanted must be 0 to 2"):
        tune([recording(1)], [3], 1.0, 1.0)
    loud = Recording(np.full((50, 2), 127, dtype=np.int8), ())
    with pytest.raises(SpecError, match="no threshold has fewer"):
        tune([loud], [1], 1.0, 1.0)
