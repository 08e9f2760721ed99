# SPDX-License-Identifier: Apache-2.0
"""The governor's plan: battery, device and modes in the integers of its tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.plan import MAX_SLEEP_Q8, MAX_UNIT_SHIFT, PlanConfig, Point
from dimmer.pipeline.recipe.sections.governor import GovernorSection

_MOST_COST, _MOST_UNITS, _MOST_HARVEST = 0xFFFF, 0xFFFF, 0xFFFF
_MOST_KEPT = 0.4
"""Of a store for days without harvest."""
_MOST_BETWEEN_REPORTS = 1 << 30
"""Quanta from one report to the next: half of what 32 bits and the runtime allow."""


def plan_of(section: GovernorSection, points: Sequence[tuple[int, float]], idle_ua: float) -> PlanConfig:
    """The plan of a governor.

    Args:
        points: mode and nanojoules of an inference, by rising energy: the hull.
        idle_ua: microamperes that sleep, wake-ups and the application draw on an average; the section's own `sleep_ua`
            is not read.

    Raises:
        DimmerError: battery and modes are of sizes that do not go together.
    """
    power_nw = idle_ua * section.millivolts
    store_nj = section.capacity_mah * 3600 * section.millivolts * 1000
    top_nj = points[-1][1]
    dark_nj = section.dark_days * 86_400 * (power_nw + points[0][1] / section.period_s)
    between = section.report_s / section.period_s

    def fits(quantum: int) -> bool:
        """Whether quanta of so many nanojoules are large enough for all fields."""
        return (
            top_nj / quantum <= _MOST_COST - len(points)
            and power_nw * 256 / quantum <= MAX_SLEEP_Q8
            and between * top_nj / quantum <= _MOST_BETWEEN_REPORTS
            and (not section.harvest or section.millivolts * 256 / quantum <= _MOST_HARVEST)
        )

    quantum = 1
    while not fits(quantum):
        quantum *= 2
    unit_shift = 0
    while store_nj / quantum / 1000 / (1 << unit_shift) > _MOST_UNITS:
        unit_shift += 1
    units = int(store_nj / quantum / 1000 / (1 << unit_shift))
    if units < 1 or unit_shift > MAX_UNIT_SHIFT:
        raise DimmerError(
            f"governor: {section.capacity_mah:g} mAh do not go with inferences of {top_nj / 1000:,.0f} uJ every "
            f"{section.period_s:g} s and {idle_ua:,.3g} uA besides: take another capacity_mah or period_s in [governor]"
        )
    costs: list[int] = []
    for _, energy_nj in points:
        costs.append(max(math.ceil(energy_nj / quantum), costs[-1] + 1 if costs else 1))
    return PlanConfig(
        points=tuple(Point(cost, mode) for cost, (mode, _) in zip(costs, points, strict=True)),
        permille_units=units,
        unit_shift=unit_shift,
        sleep_q8=math.ceil(power_nw * 256 / quantum),
        period_ms=max(round(section.period_s * 1000), 1),
        report_s=section.report_s,
        life_s=math.ceil(section.days * 86_400),
        reserve_permille=section.reserve_permille,
        cold_permille=section.cold_reserve_permille,
        harvest_q8=max(int(section.millivolts * 256 / quantum), 1) if section.harvest else 0,
        low_q6=round(64 * min(_MOST_KEPT, dark_nj / store_nj)) if section.harvest else 0,
    )
