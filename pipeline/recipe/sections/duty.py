# SPDX-License-Identifier: Apache-2.0
"""[duty]: how often the device infers, from what cell, and what it does in between."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import bounded, require
from dimmer.pipeline.recipe.sections.governor import MOST_MAH, MOST_PERIOD_S, GovernorSection

_DEFAULT_PERIOD_S, _DEFAULT_MAH, _DEFAULT_MV = 1.0, 220.0, 3000
"""A CR2032, and an inference a second."""


@dataclass(frozen=True)
class DutySection:
    """How often the device infers, from what cell, and what it does in between: for the report's days and levers.

    Attributes:
        period_s: from one inference to the next; 0 for that of [governor], or a second without one.
        clock_mhz: of the core while it infers; 0 for that of the target's board.
        quiet_hours: of each day, in which the device only sleeps.
        events_per_hour: inferences are only run when something happens, about so often; 0 where they are periodic.
        capacity_mah: of the full cell; 0 for that of [governor], or a CR2032's without one.
        millivolts: of the cell, on an average; 0 as for capacity_mah.
    """

    period_s: float = 0.0
    clock_mhz: float = 0.0
    quiet_hours: float = 0.0
    events_per_hour: float = 0.0
    capacity_mah: float = 0.0
    millivolts: int = 0

    def __post_init__(self) -> None:
        bounded(self.period_s, 0, MOST_PERIOD_S, "period_s")
        bounded(self.clock_mhz, 0, 10_000, "clock_mhz")
        bounded(self.quiet_hours, 0, 24, "quiet_hours")
        require(self.quiet_hours < 24, "quiet_hours", "must be less than 24: or nothing is ever inferred")
        bounded(self.events_per_hour, 0, 3_600_000, "events_per_hour")
        bounded(self.capacity_mah, 0, MOST_MAH, "capacity_mah")
        bounded(self.millivolts, 0, 0xFFFF, "millivolts")


@dataclass(frozen=True)
class Duty:
    """The same with every value known.

    Attributes:
        clock_mhz: of the core while it infers; None for that of the target's board.
        sleep_ua: that the recipe says is drawn all the time; None where the board's constant counts.
    """

    period_s: float = _DEFAULT_PERIOD_S
    clock_mhz: float | None = None
    quiet_hours: float = 0.0
    events_per_hour: float = 0.0
    capacity_mah: float = _DEFAULT_MAH
    millivolts: int = _DEFAULT_MV
    sleep_ua: float | None = None

    @property
    def inferences_a_day(self) -> float:
        """On an average."""
        return (24 - self.quiet_hours) * (self.events_per_hour or 3600 / self.period_s)


def duty_of(section: DutySection, governor: GovernorSection) -> Duty:
    """What a recipe's [duty] says, and where it is silent [governor], if the recipe wants one."""
    asked = governor.wanted
    return Duty(
        section.period_s or (governor.period_s if asked else _DEFAULT_PERIOD_S),
        section.clock_mhz or None,
        section.quiet_hours,
        section.events_per_hour,
        section.capacity_mah or (governor.capacity_mah if asked else _DEFAULT_MAH),
        section.millivolts or (governor.millivolts if asked else _DEFAULT_MV),
        (governor.sleep_ua or None) if asked else None,
    )
