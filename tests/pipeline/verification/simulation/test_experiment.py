# SPDX-License-Identifier: Apache-2.0
"""A part of a fleet, and how it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dimmer.pipeline.verification.simulation.experiment import (
    COMPUTED,
    GOVERNOR,
    OLD_TIERS,
    TIERS,
    Outcome,
    Part,
    computed_tiers,
    drawn,
    simulate_part,
)
from dimmer.pipeline.verification.simulation.scenarios import Spread, scenarios_of
from tests.pipeline.verification.simulation.shared import SETTING, deadline


def test_a_part_is_kept_and_read_again(tmp_path: Path) -> None:
    part = Part(1, 0, 8, 2)
    outcome = simulate_part(deadline(spread=Spread()), SETTING, part)
    assert {TIERS, OLD_TIERS, GOVERNOR, "even spending", "fixed 88.88.88"} <= set(outcome.policies)
    assert outcome.right.shape == (len(outcome.policies), 8)
    outcome.save(tmp_path / "part.npz")
    again = Outcome.load(tmp_path / "part.npz")
    assert again.policies == outcome.policies
    assert np.array_equal(again.right, outcome.right)
    assert np.array_equal(again.oracle, outcome.oracle)
    assert len(list(tmp_path.iterdir())) == 1
    assert (drawn(deadline(), SETTING, part).capacity > 0).all()


def test_with_a_charger_there_are_tiers_computed_for_it() -> None:
    scenario = scenarios_of(["recharge exponential 12 d"], SETTING)[0]
    tiers = computed_tiers(scenario, SETTING, SETTING.boards["nrf52840"]).tiers
    modes = [SETTING.modes[tier.mode] for tier in tiers]
    assert modes == ["40.40.44", "40.40.40", "20.20.20"]
    outcome = simulate_part(scenario, SETTING, Part(0, 0, 10, 0))
    right = dict(zip(outcome.policies, outcome.right.mean(1), strict=True))
    assert right[COMPUTED] > right[TIERS]
