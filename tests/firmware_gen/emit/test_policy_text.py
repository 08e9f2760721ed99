# SPDX-License-Identifier: Apache-2.0
"""Policy and plan as a person reads them in the generated C."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.emit.plan import PlanConfig, Point
from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.firmware_gen.emit.policy_text import plan_lines, policy_lines
from dimmer.firmware_gen.generate import tables_of
from tests.firmware_gen.modes import write_modes

POLICY = PolicyConfig((Tier(500, 3300, 0), Tier(0, 0, 1)), 60, 20, 50, 4200, 3600, 1000, 1)
PLAN = PlanConfig((Point(100, 2), Point(400, 0)), 50_000, 9, 27_000, 10_000, 600, 129_600, 40, 5)


def test_every_tier_and_point_has_its_mode_beside_it(tmp_path: Path) -> None:
    tables = tables_of(write_modes(tmp_path), replace(POLICY, plan=PLAN))
    policy = "\n".join(policy_lines(tables))
    for line in (
        ".dwell_s = 60u, .hysteresis_permille = 20, .hysteresis_millivolts = 50,",
        ".full_millivolts = 4200, .stale_s = 3600, .stale_inferences = 1000,",
        ".tier_count = 2, .safe_mode = 1, /* 880 */",
        "{500, 3300, 0, 255}, /* 888 */",
    ):
        assert line in policy
    plan = "\n".join(plan_lines(tables, names_of("lamp")))
    for line in (
        "static const dimmer_plan_t dimmer_lamp_plan = {",
        ".life_s = 129600u, /* 1.5 days */",
        "{100, 2, 255}, /* 800 */",
        "{400, 0, 255}, /* 888 */",
    ):
        assert line in plan


def test_without_a_plan_there_is_no_line(tmp_path: Path) -> None:
    tables = tables_of(write_modes(tmp_path), POLICY)
    assert list(plan_lines(tables, names_of("lamp"))) == []
