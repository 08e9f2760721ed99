# SPDX-License-Identifier: Apache-2.0
"""The recipe's thresholds as tiers of the firmware's policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dimmer.firmware_gen.emit.plan import PlanConfig
from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.pipeline.energy.recharge import Recharge, thresholds
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


LIMP_HOME_PERMILLE = 100
"""Of the charge, under which the cheapest mode runs where nothing is known of the battery."""


@dataclass(frozen=True)
class Drain:
    """What the modes of a menu take from the battery, for thresholds that are computed.

    Attributes:
        powers: mean current of the device in each mode, sleep included, microamperes; or any other unit of power.
        accuracy: of each, 0..1.
        capacity: of the full battery, that unit times seconds.
    """

    powers: tuple[float, ...]
    accuracy: tuple[float, ...]
    capacity: float


def recharge_policy(
    policy: PolicySection, modes: Sequence[int], drain: Drain, plan: PlanConfig | None = None
) -> PolicyConfig:
    """Tiers for the recipe's charger, which comes at random.

    Args:
        modes: ids to choose from, the most expensive first, as for `recipe_policy`.
        drain: of the same modes, in the same order.
    """
    rising = modes[::-1]
    recharge = Recharge(policy.recharge, 3600 * policy.recharge_hours)
    found = thresholds(drain.powers[::-1], drain.accuracy[::-1], drain.capacity, recharge)
    tiers = tuple(Tier(one.permille, 0, rising[one.point]) for one in found)
    return replace(recipe_policy(policy, modes, plan), tiers=tiers)


def recipe_policy(
    policy: PolicySection, modes: Sequence[int], plan: PlanConfig | None = None, knee: int | None = None
) -> PolicyConfig:
    """The recipe's thresholds as tiers: one mode or one budget of the gates each, the last under the last threshold.

    Where the recipe says nothing of the battery, one mode runs until it is nearly empty, and then the cheapest.

    Args:
        modes: ids to choose from, the most expensive first. Where there are more than tiers, the first and the last
            are used, and of the others those spread evenly between.
        plan: for a governor.
        knee: id of that one mode; the most expensive one where None.
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
    if len(modes) < 2:
        return config
    if not policy.tiers:
        return replace(
            config, tiers=(Tier(LIMP_HOME_PERMILLE, 0, modes[0] if knee is None else knee), Tier(0, 0, modes[-1]))
        )
    steps = min(len(policy.tiers), len(modes) - 1)
    chosen = [modes[round(i * (len(modes) - 1) / steps)] for i in range(steps + 1)]
    thresholds = zip((*policy.tiers[:steps], 0), (*millivolts[:steps], 0), chosen, strict=True)
    return replace(config, tiers=tuple(Tier(at, volts, mode) for at, volts, mode in thresholds))
