# SPDX-License-Identifier: Apache-2.0
"""The recipe's thresholds as tiers of the firmware's policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dimmer.firmware_gen.emit.plan import PlanConfig
from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.pipeline.networks.gates.budget import budget_level
from dimmer.pipeline.recipe.sections.policy import PolicySection


def policy_for(policy: PolicyConfig, modes: int, gated: bool) -> PolicyConfig:
    """The policy of a firmware that has only the first `modes` modes."""
    kept = tuple(tier for tier in policy.tiers if tier.mode < modes or (gated and tier.mode == MODE_GATED))
    plan, safe = policy.plan, policy.safe_mode
    if plan is not None and any(point.mode >= modes for point in plan.points):
        plan = None
    if safe is not None and safe >= modes:
        safe = None
    if kept != policy.tiers:
        policy = replace(policy, tiers=kept if modes > 1 else ())
    return policy if (plan, safe) == (policy.plan, policy.safe_mode) else replace(policy, plan=plan, safe_mode=safe)


def recipe_policy(policy: PolicySection, modes: Sequence[int], plan: PlanConfig | None = None) -> PolicyConfig:
    """The recipe's thresholds as tiers: one mode or one budget of the gates each, the last under the last threshold.

    Args:
        modes: ids to choose from, the most expensive first. Where there are more than tiers, the first and the last
            are used, and of the others those spread evenly between.
        plan: for a governor.
    """
    config = PolicyConfig(
        (),
        policy.dwell_s,
        policy.hysteresis_permille,
        policy.hysteresis_millivolts,
        policy.full_millivolts,
        policy.stale_s,
        policy.stale_inferences,
        modes[-1],
        plan,
    )
    millivolts = (*(policy.min_millivolts or (0,) * len(policy.tiers)), 0)
    if policy.budgets:
        gated = zip((*policy.tiers, 0), millivolts, policy.budgets, strict=True)
        tiers = tuple(Tier(at, volts, MODE_GATED, budget_level(budget)) for at, volts, budget in gated)
        return replace(config, tiers=tiers)
    steps = min(len(policy.tiers), len(modes) - 1)
    if not steps:
        return config
    chosen = [modes[round(i * (len(modes) - 1) / steps)] for i in range(steps + 1)]
    thresholds = zip((*policy.tiers[:steps], 0), (*millivolts[:steps], 0), chosen, strict=True)
    return replace(config, tiers=tuple(Tier(at, volts, mode) for at, volts, mode in thresholds))
