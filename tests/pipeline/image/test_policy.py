# SPDX-License-Identifier: Apache-2.0
"""A recipe's thresholds as tiers."""

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.pipeline.energy.recharge import Recharge, thresholds
from dimmer.pipeline.image.policy import Drain, policy_for, recharge_policy, recipe_policy
from dimmer.pipeline.recipe.sections.policy import PolicySection


@pytest.mark.parametrize(
    ("tiers", "modes", "expected"),
    [
        ((600, 400, 200), 4, [(600, 0), (400, 1), (200, 2), (0, 3)]),
        ((600, 400, 200), 2, [(600, 0), (0, 1)]),
        ((600,), 4, [(600, 0), (0, 3)]),
        ((600, 400, 200), 12, [(600, 0), (400, 4), (200, 7), (0, 11)]),
        ((600, 400), 1, []),
        ((), 4, [(100, 1), (0, 3)]),
        ((), 1, []),
    ],
)
def test_policies_of_recipes(tiers: tuple[int, ...], modes: int, expected: list[tuple[int, int]]) -> None:
    policy = recipe_policy(PolicySection(tiers), range(modes), knee=1)
    assert [(tier.min_charge_permille, tier.mode) for tier in policy.tiers] == expected


def test_budgets_make_every_tier_gated() -> None:
    policy = recipe_policy(PolicySection((500,), budgets=(1.0, 0.5)), range(4))
    assert [(tier.min_charge_permille, tier.mode, tier.level) for tier in policy.tiers] == [
        (500, MODE_GATED, 255),
        (0, MODE_GATED, 204),
    ]


def test_thresholds_of_a_charger_are_those_of_the_menu() -> None:
    drain = Drain((4.0, 2.0, 1.0), (0.92, 0.88, 0.80), 100.0)
    section = PolicySection(recharge="exponential", recharge_hours=40 / 3600, hysteresis_permille=5, dwell_s=9)
    policy = recharge_policy(section, (7, 3, 5), drain)
    found = thresholds((1.0, 2.0, 4.0), (0.80, 0.88, 0.92), 100.0, Recharge("exponential", 40.0))
    assert [(tier.min_charge_permille, tier.mode) for tier in policy.tiers] == [
        (one.permille, (5, 3, 7)[one.point]) for one in found
    ]
    assert len(policy.tiers) > 1
    assert (policy.hysteresis_permille, policy.dwell_s, policy.safe_mode) == (5, 9, 5)


def test_a_firmware_of_fewer_modes_keeps_the_tiers_that_it_can() -> None:
    policy = PolicyConfig((Tier(600, 0, 0), Tier(300, 0, MODE_GATED), Tier(0, 0, 2)))
    assert policy_for(policy, 3, gated=True) is policy
    assert policy_for(policy, 2, gated=True).tiers == policy.tiers[:2]
    assert policy_for(policy, 2, gated=False).tiers == policy.tiers[:1]
    assert policy_for(policy, 1, gated=False).tiers == ()
