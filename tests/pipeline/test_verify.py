"""Verification finds what is wrong, and counts it."""

import numpy as np

from pipeline.verify import Record, compare, switch_schedules


def test_schedules_switch_at_every_boundary_both_ways() -> None:
    schedules = switch_schedules(4, 8)
    for at in range(1, 8):
        assert (0,) * at + (3,) * (8 - at) in schedules
        assert (3,) * at + (0,) * (8 - at) in schedules
    assert len(set(schedules)) == len(schedules)
    assert switch_schedules(1, 8) == switch_schedules(4, 1) == []


def test_a_wrong_byte_and_a_wrong_trace_are_mismatches() -> None:
    records = [Record((0, 0), 0), Record((0, 1), 1), Record((1, 1), 2)]
    expected = np.arange(9, dtype=np.int8).reshape(3, 3)
    ran = np.array([[0, 0], [0, 1], [1, 1]], np.uint8)
    assert compare(records, expected, expected.copy(), ran).mismatches == 0
    wrong = expected.copy()
    wrong[2, 1] += 1
    outcome = compare(records, expected, wrong, ran)
    assert (outcome.samples, outcome.mismatches, outcome.first) == (3, 1, 2)
    other = ran.copy()
    other[1, 1] = 0
    assert compare(records, expected, expected, other).first == 1
