# SPDX-License-Identifier: Apache-2.0
"""What hangs on the battery, by a recipe's duty and a target's constants: as the report takes it."""

from __future__ import annotations

from dimmer.pipeline.energy.account import DAY_S, besides
from dimmer.pipeline.energy.device import Device
from dimmer.pipeline.recipe.sections.duty import Duty
from dimmer.targets.power.constants import Energy


def device_of(energy: Energy | None, duty: Duty) -> Device:
    """The device: sleep all the time, and with each inference a wake-up and what the application does for it.

    Args:
        energy: of the target; without it nothing is drawn besides inferences.
        duty: with quiet hours or events its period is the mean one.
    """
    idle, volts = besides(energy, duty), duty.millivolts / 1000
    return Device(
        duty.capacity_mah,
        duty.millivolts,
        DAY_S / duty.inferences_a_day,
        idle.sleep_ua * volts,
        idle.period_uc * volts,
    )
