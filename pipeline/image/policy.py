# SPDX-License-Identifier: Apache-2.0
"""The recipe's thresholds as tiers of the firmware's policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.pipeline.networks.gates.budget import budget_level
from dimmer.pipeline.recipe.sections.policy import PolicySection


def policy_for(policy: PolicyConfig, modes: int, gated: bool) -> PolicyConfig:
    """The policy of a firmware that has only the first `modes` modes."""
    kept = tuple(tier for tier in policy.tiers if tier.mode < modes or (gated and tier.mode == MODE_GATED))
    return policy if kept == policy.tiers else replace(policy, tiers=kept if modes > 1 else ())


def recipe_policy(policy: PolicySection, modes: Sequence[int]) -> PolicyConfig:
    """The recipe's thresholds as tiers: one mode or one budget of the gates each, the last under the last threshold.

    Args:
        modes: ids to choose from, the most expensive first. Where there are more than tiers, the first and the last
            are used, and of the others those spread evenly between.
    """
    if policy.budgets:
        gated = zip((*policy.tiers, 0), policy.budgets, strict=True)
        tiers = tuple(Tier(threshold, 0, MODE_GATED, budget_level(budget)) for threshold, budget in gated)
        return PolicyConfig(tiers, policy.dwell_s, policy.hysteresis_permille)
    steps = min(len(policy.tiers), len(modes) - 1)
    if not steps:
        return PolicyConfig((), policy.dwell_s, policy.hysteresis_permille)
    chosen = [modes[round(i * (len(modes) - 1) / steps)] for i in range(steps + 1)]
    tiers = tuple(Tier(at, 0, mode) for at, mode in zip((*policy.tiers[:steps], 0), chosen, strict=True))
    return PolicyConfig(tiers, policy.dwell_s, policy.hysteresis_permille)
