# SPDX-License-Identifier: Apache-2.0
"""What hangs on the battery."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """What hangs on the battery.

    Attributes:
        capacity_mah: of the full cell; the default is a CR2032's.
        millivolts: of the cell, taken as constant.
        period_s: from one inference to the next.
        idle_uw: microwatts that are drawn all the time.
    """

    capacity_mah: float = 220.0
    millivolts: int = 3000
    period_s: float = 1.0
    idle_uw: float = 10.0

    @property
    def energy_uj(self) -> float:
        """Microjoules in the full cell: mAh x 3600 s x mV."""
        return self.capacity_mah * 3600 * self.millivolts

    def power_uw(self, inference_uj: float) -> float:
        """Mean microwatts while inferences of this energy run."""
        return self.idle_uw + inference_uj / self.period_s

    def life_s(self, inference_uj: float) -> float:
        """Seconds from the full cell to the empty one while inferences of this energy run."""
        return self.energy_uj / self.power_uw(inference_uj)

    def __str__(self) -> str:
        return (
            f"{self.capacity_mah:g} mAh at {self.millivolts / 1000:g} V, an inference every {self.period_s:g} s, "
            f"{self.idle_uw:g} µW besides"
        )
