# SPDX-License-Identifier: Apache-2.0
"""What hangs on the battery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Inference:
    """What one inference takes.

    Attributes:
        microjoules: from the cell.
        seconds: that it lasts; 0 where nobody knows.
    """

    microjoules: float
    seconds: float = 0.0


@dataclass(frozen=True)
class Device:
    """What hangs on the battery.

    Attributes:
        capacity_mah: of the full cell; the default is a CR2032's.
        millivolts: of the cell, taken as constant.
        period_s: from one inference to the next, which is no shorter than an inference.
        idle_uw: microwatts that are drawn all the time.
        beside_uj: microjoules of each period besides its inference: a wake-up, and what the application does.
    """

    capacity_mah: float = 220.0
    millivolts: int = 3000
    period_s: float = 1.0
    idle_uw: float = 10.0
    beside_uj: float = 0.0

    @property
    def energy_uj(self) -> float:
        """Microjoules in the full cell: mAh x 3600 s x mV."""
        return self.capacity_mah * 3600 * self.millivolts

    def power_uw(self, one: Inference) -> float:
        """Mean microwatts while such inferences run."""
        return self.idle_uw + (one.microjoules + self.beside_uj) / max(self.period_s, one.seconds)

    def life_s(self, one: Inference) -> float:
        """Seconds from the full cell to the empty one while such inferences run."""
        return self.energy_uj / self.power_uw(one)

    def without_pause(self, taken: Mapping[str, Inference]) -> str:
        """Which modes take longer than the period, for people; empty where none does."""
        slow = [name for name, one in taken.items() if one.seconds > self.period_s]
        if not slow:
            return ""
        longer, runs = ("takes", "it runs") if len(slow) == 1 else ("take", "they run")
        return f"{', '.join(slow)} {longer} longer than the period: {runs} without a pause."

    def __str__(self) -> str:
        return (
            f"{self.capacity_mah:g} mAh at {self.millivolts / 1000:g} V, an inference every {self.period_s:g} s, "
            f"{self.idle_uw + self.beside_uj / self.period_s:g} µW besides"
        )
