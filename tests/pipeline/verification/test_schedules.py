# SPDX-License-Identifier: Apache-2.0
"""Schedules that change mode within an inference."""

from dimmer.pipeline.verification.schedules import switch_schedules


def test_schedules_switch_at_every_boundary_both_ways() -> None:
    schedules = switch_schedules(4, 8)
    for at in range(1, 8):
        assert (0,) * at + (3,) * (8 - at) in schedules
        assert (3,) * at + (0,) * (8 - at) in schedules
    assert len(set(schedules)) == len(schedules)
    assert switch_schedules(1, 8) == switch_schedules(4, 1) == []
