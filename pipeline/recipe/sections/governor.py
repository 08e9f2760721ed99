# SPDX-License-Identifier: Apache-2.0
"""[governor]: how long a battery is to last, and what is known of it and of the device."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import bounded, require

MOST_DAYS, MOST_MAH, MOST_PERIOD_S = 18_250, 1_000_000, 86_400
"""Fifty years, a house's battery, one inference a day."""


@dataclass(frozen=True)
class GovernorSection:
    """How long a battery is to last, and what is known of it and of the device.

    Attributes:
        capacity_mah: what the full battery gives on the device; 0 for no governor.
        millivolts: of the battery, on an average.
        days: for so long it is to last, from the first report or from the charger on; 0 for no deadline.
        harvest: whether the device lives from what it harvests, too, and reports it.
        period_s: from one inference to the next, until the device has learnt it.
        report_s: how often the application reports the battery.
        sleep_ua: microamperes that are drawn all the time; 0 for that of the target's [energy], where wake-ups and the
            application have their constants, too.
        reserve_permille: of the battery, kept for whatever is not inference.
        cold_reserve_permille: more reserve for each 10 degrees under 8.5 degrees Celsius.
        dark_days: with harvest and no deadline the store is to carry the cheapest mode for so many days without any;
            dearer modes run on what is above. At most two fifths of the store are kept so.
    """

    capacity_mah: float = 0.0
    millivolts: int = 3000
    days: float = 0.0
    harvest: bool = False
    period_s: float = 10.0
    report_s: int = 600
    sleep_ua: float = 0.0
    reserve_permille: int = 40
    cold_reserve_permille: int = 0
    dark_days: float = 5.0

    def __post_init__(self) -> None:
        bounded(self.capacity_mah, 0, MOST_MAH, "capacity_mah")
        bounded(self.millivolts, 1, 0xFFFF, "millivolts")
        bounded(self.days, 0, MOST_DAYS, "days")
        bounded(self.period_s, 0.001, MOST_PERIOD_S, "period_s")
        bounded(self.report_s, 1, 0xFFFF, "report_s")
        bounded(self.sleep_ua, 0, 1_000_000, "sleep_ua")
        bounded(self.reserve_permille, 0, 999, "reserve_permille")
        bounded(self.cold_reserve_permille, 0, 255, "cold_reserve_permille")
        bounded(self.dark_days, 0, MOST_DAYS, "dark_days")
        reason = "must be over 0 where nothing is harvested: with neither, no governor is better than one mode"
        require(not self.capacity_mah or self.days > 0 or self.harvest, "days", reason)

    @property
    def wanted(self) -> bool:
        """Whether there is to be a governor."""
        return self.capacity_mah > 0
