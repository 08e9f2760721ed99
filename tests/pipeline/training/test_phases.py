# SPDX-License-Identifier: Apache-2.0
"""Which epochs a kind has, and with which learning rate."""

import pytest

from dimmer.pipeline.training.phases import Phase, Timetable, learning_rate


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    rates = [learning_rate(0.1, 0.1, step, 100) for step in range(100)]
    assert max(rates) == rates[9] == rates[10] == 0.1
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.001 * 0.1


def test_the_learning_rate_runs_over_all_epochs_of_a_phase_and_knows_none_before_it() -> None:
    phase = Phase(first=3, epochs=2, lr=0.2, warmup=0.25)
    rates = [phase.learning_rate(epoch, step, 4) for epoch in (3, 4) for step in range(4)]
    assert rates == [learning_rate(0.2, 0.25, step, 8) for step in range(8)]


def test_phases_follow_one_another_those_without_epochs_too() -> None:
    timetable = Timetable()
    phases = [timetable.next(epochs, 0.1, 0.0) for epochs in (3, 0, 2)]
    assert [(phase.first, phase.end) for phase in phases] == [(0, 3), (3, 3), (3, 5)]


def test_steps_in_place_of_the_cosine() -> None:
    phase = Phase(first=0, epochs=4, lr=0.1, warmup=0.125, drops=(1, 3))
    rates = [phase.learning_rate(epoch, step, 4) for epoch in range(4) for step in range(4)]
    assert rates[:2] == [0.05, 0.1]
    assert rates[3:] == pytest.approx([0.1] + [0.01] * 8 + [0.001] * 4)
