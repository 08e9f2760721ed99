# SPDX-License-Identifier: Apache-2.0
"""The governor's plan as the tables hold it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.gates import MODE_GATED

MAX_POINTS, MAX_UNIT_SHIFT, MAX_SLEEP_Q8 = 8, 18, 908_000
"""As in dimmer_governor.h."""

_HEAD = "<IIIHHHHBBBB"


@dataclass(frozen=True, slots=True)
class Point:
    """A mode that the governor chooses from.

    Attributes:
        cost: of an inference, quanta.
        mode: its number, or MODE_GATED.
        level: of the gates' budget, which matters where the mode is gated.
    """

    cost: int
    mode: int
    level: int = 255


@dataclass(frozen=True, slots=True)
class PlanConfig:
    """What a governor needs to know of battery, device and modes: `dimmer_plan_t`, in the units of that header.

    Attributes:
        points: by rising cost, the concave hull of accuracy over cost.
        permille_units: units in a permille of the full store.
        unit_shift: a unit is 2^unit_shift quanta.
        sleep_q8: drawn all the time, quanta a second times 256.
        period_ms: expected from one inference to the next, until it is learnt.
        report_s: the application reports about so often.
        life_s: to the deadline; 0 for none, which needs harvest.
        reserve_permille: of the full store, not spent on inferences.
        cold_permille: more reserve for each 10 K under 8.5 degrees Celsius.
        harvest_q8: quanta in a microampere second of harvest, times 256; 0 where none is expected.
        low_q6: without a deadline, of the full store times 64: below, the cheapest mode alone runs.
    """

    points: tuple[Point, ...]
    permille_units: int
    unit_shift: int
    sleep_q8: int
    period_ms: int
    report_s: int
    life_s: int = 0
    reserve_permille: int = 0
    cold_permille: int = 0
    harvest_q8: int = 0
    low_q6: int = 0

    @property
    def wanted_q8(self) -> int:
        """Inferences expected between two reports, times 256."""
        return min(max(self.report_s * 256_000 // self.period_ms, 1), 0x7FFF_FFFF)

    @property
    def cold_q6(self) -> int:
        """More reserve: permille a tenth of a kelvin under 8.5 degrees Celsius, times 64."""
        return -(-self.cold_permille * 64 // 100)

    def pack(self, mode_count: int, gated: bool = False) -> bytes:
        """The bytes of dimmer_plan_t.

        Args:
            gated: whether the model has gates.

        Raises:
            FirmwareGenError: a number that the runtime would refuse, or a mode that does not exist.
        """
        self._check(mode_count, gated)
        try:
            head = struct.pack(
                _HEAD,
                self.life_s,
                self.sleep_q8,
                self.wanted_q8,
                self.permille_units,
                self.harvest_q8,
                self.reserve_permille,
                self.report_s,
                self.cold_q6,
                self.unit_shift,
                self.low_q6,
                len(self.points),
            )
            points = b"".join(struct.pack("<HBB", p.cost, p.mode, p.level) for p in self.points)
        except struct.error as error:
            raise FirmwareGenError(
                f"governor: a number does not fit its field ({error}); take another capacity or period"
            ) from error
        return head + points.ljust(MAX_POINTS * 4, b"\0")

    def _check(self, mode_count: int, gated: bool) -> None:
        if not 0 < len(self.points) <= MAX_POINTS:
            raise FirmwareGenError(f"governor: {len(self.points)} modes to choose from, 1 to {MAX_POINTS} can be")
        for number, point in enumerate(self.points):
            if not (0 <= point.mode < mode_count or (gated and point.mode == MODE_GATED)):
                raise FirmwareGenError(
                    f"governor: point {number} is mode {point.mode} of {mode_count}; name an existing one"
                )
        costs = [0, *(point.cost for point in self.points)]
        if any(a >= b for a, b in pairwise(costs)):
            raise FirmwareGenError(f"governor: the costs of the modes, {costs[1:]} quanta, do not rise")
        limits = {
            "unit_shift": (self.unit_shift, 0, MAX_UNIT_SHIFT),
            "sleep_q8": (self.sleep_q8, 0, MAX_SLEEP_Q8),
            "permille_units": (self.permille_units, 1, 0xFFFF),
            "period_ms": (self.period_ms, 1, 0xFFFF_FFFF),
            "report_s": (self.report_s, 1, 0xFFFF),
            "reserve_permille": (self.reserve_permille, 0, 999),
            "cold_permille": (self.cold_permille, 0, 255),
            "low_q6": (self.low_q6, 0, 63),
        }
        for name, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise FirmwareGenError(f"governor: {name} is {value}, {low} to {high} can be")
        if not self.life_s and not self.harvest_q8:
            raise FirmwareGenError("governor: neither a deadline nor harvest; give one of them")
