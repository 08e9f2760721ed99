# SPDX-License-Identifier: Apache-2.0
"""The battery policy and the governor's plan -> C."""

from __future__ import annotations

from collections.abc import Iterator

from dimmer.firmware_gen.emit.names import Names
from dimmer.firmware_gen.emit.policy import MAX_TIERS
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.emit.text import comment
from dimmer.firmware_gen.gates import MODE_GATED


def policy_lines(tables: Tables) -> Iterator[str]:
    """The initialiser of dimmer_policy_t within the model."""
    policy, safe = tables.policy, tables.policy.safe_mode_of(len(tables.mode_names))
    yield "    {"
    yield (
        f"        .dwell_s = {policy.dwell_s}u, .hysteresis_permille = {policy.hysteresis_permille}, "
        f".hysteresis_millivolts = {policy.hysteresis_millivolts},"
    )
    yield (
        f"        .full_millivolts = {policy.full_millivolts}, .stale_s = {policy.stale_s}, "
        f".stale_inferences = {policy.stale_inferences},"
    )
    yield f"        .tier_count = {len(policy.tiers)}, .safe_mode = {safe}, /* {comment(tables.mode_names[safe])} */"
    yield "        .tiers = {"
    for tier in policy.tiers:
        numbers = f"{tier.min_charge_permille}, {tier.min_millivolts}, {tier.mode}, {tier.level}"
        yield f"            {{{numbers}}}, /* {_name(tables, tier.mode)} */"
    if len(policy.tiers) < MAX_TIERS:
        yield "            {0, 0, 0, 0}"
    yield "        }"
    yield "    },"


def plan_lines(tables: Tables, names: Names) -> Iterator[str]:
    """The governor's plan, where there is one."""
    plan = tables.policy.plan
    if plan is None:
        return
    deadline = f"{plan.life_s / 86_400:.4g} days" if plan.life_s else "no deadline"
    yield "/* Costs in quanta, of which points[0] says what the cheapest mode takes. */"
    yield f"static const dimmer_plan_t {names.table('plan')} = {{"
    yield f"    .life_s = {plan.life_s}u, /* {deadline} */"
    yield f"    .sleep_q8 = {plan.sleep_q8}u, .wanted_q8 = {plan.wanted_q8}u, .permille_units = {plan.permille_units},"
    yield (
        f"    .harvest_q8 = {plan.harvest_q8}, .reserve_permille = {plan.reserve_permille}, "
        f".report_s = {plan.report_s}, .cold_q6 = {plan.cold_q6},"
    )
    yield f"    .unit_shift = {plan.unit_shift}, .low_q6 = {plan.low_q6}, .count = {len(plan.points)},"
    yield "    .points = {"
    for point in plan.points:
        yield f"        {{{point.cost}, {point.mode}, {point.level}}}, /* {_name(tables, point.mode)} */"
    yield "    }"
    yield "};"
    yield ""


def _name(tables: Tables, mode: int) -> str:
    return "gated" if mode == MODE_GATED else comment(tables.mode_names[mode])
