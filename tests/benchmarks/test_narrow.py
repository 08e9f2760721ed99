# SPDX-License-Identifier: Apache-2.0
"""Modes of 4 and 2 bits are faster than that of 8, in the same arena."""

from __future__ import annotations

import pytest

from dimmer.benchmarks.count import measured_modes
from dimmer.benchmarks.narrow import MODES, figures
from dimmer.targets import load_target


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
def test_fewer_bits_are_fewer_instructions() -> None:
    found = figures(load_target("mps2-an386"), MODES)
    assert [mode.verify and mode.verify.mismatches for mode in found.modes] == [0] * len(MODES)
    counts = {mode.mode: mode.count.instructions for mode in measured_modes(found)}
    assert counts["44.44.44"] <= 0.81 * counts["88.88.88"]
    assert counts["22.22.22"] <= 0.63 * counts["88.88.88"]
    assert counts["20.20.20"] < counts["40.40.40"] < counts["80.80.80"]
    assert found.ram.arena == found.ram.single_mode_arena
