# SPDX-License-Identifier: Apache-2.0
"""The battery policy as the tables hold it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from dimmer.firmware_gen.emit.plan import PlanConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.gates import MODE_GATED

MAX_TIERS = 8

STALE_S, STALE_INFERENCES = 3600, 10_000
"""Where nobody says: an hour without a charge, so many inferences without a report."""


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier of the policy: holds while charge and voltage are both at or above its thresholds.

    Attributes:
        mode: its number, or MODE_GATED.
        level: of the gates' budget, which matters where the mode is gated.
    """

    min_charge_permille: int
    min_millivolts: int
    mode: int
    level: int = 255


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """When the firmware changes its mode by itself.

    Attributes:
        tiers: by falling thresholds; the last one holds whatever the battery says. Empty for no policy.
        dwell_s: for so long every report must allow a brighter tier before it comes.
        hysteresis_permille: extra charge needed to go brighter.
        hysteresis_millivolts: extra voltage needed to go brighter.
        full_millivolts: of the full cell, more than which no tier needs to go brighter; 0 where nobody knows.
        stale_s: a charge that is not known for so long is forgotten; 0 for never.
        stale_inferences: without a report for so many, the safe mode runs; 0 for never.
        safe_mode: the cheapest on the target; None for the last one.
        plan: for a governor; None for none.
    """

    tiers: tuple[Tier, ...] = ()
    dwell_s: int = 0
    hysteresis_permille: int = 0
    hysteresis_millivolts: int = 0
    full_millivolts: int = 0
    stale_s: int = 0
    stale_inferences: int = 0
    safe_mode: int | None = None
    plan: PlanConfig | None = None

    def safe_mode_of(self, mode_count: int) -> int:
        """The mode that a brown-out, or reports that fail to come, lead to."""
        return mode_count - 1 if self.safe_mode is None else self.safe_mode

    def pack(self, mode_count: int, gated: bool = False) -> bytes:
        """The bytes of dimmer_policy_t.

        Args:
            gated: whether the model has gates.

        Raises:
            FirmwareGenError: too many tiers, a number that does not fit, or a mode that does not exist.
        """
        if len(self.tiers) > MAX_TIERS:
            raise FirmwareGenError(f"policy: {len(self.tiers)} tiers, at most {MAX_TIERS}; merge some")
        for number, tier in enumerate(self.tiers):
            if not (0 <= tier.mode < mode_count or (gated and tier.mode == MODE_GATED)):
                raise FirmwareGenError(
                    f"policy: tier {number} selects mode {tier.mode} of {mode_count}; name an existing one"
                )
        safe_mode = self.safe_mode_of(mode_count)
        if not 0 <= safe_mode < mode_count:
            raise FirmwareGenError(f"policy: the safe mode is {safe_mode} of {mode_count}; name an existing one")
        try:
            hysteresis = (self.hysteresis_permille, self.hysteresis_millivolts, self.full_millivolts)
            stale = (self.stale_s, self.stale_inferences)
            head = struct.pack("<IHHHHHBB", self.dwell_s, *hysteresis, *stale, len(self.tiers), safe_mode)
            tiers = b"".join(
                struct.pack("<HHBB", t.min_charge_permille, t.min_millivolts, t.mode, t.level) for t in self.tiers
            )
        except struct.error as error:
            raise FirmwareGenError(
                f"policy: a threshold is out of range ({error}); use permille, millivolts and seconds"
            ) from error
        return head + tiers.ljust(MAX_TIERS * 6, b"\0")


def even_policy(mode_count: int) -> PolicyConfig:
    """A policy for whoever gave none: the charge's range in equal parts, brightest first."""
    if mode_count < 2:
        return PolicyConfig()
    count = min(mode_count, MAX_TIERS)
    modes = [number * (mode_count - 1) // (count - 1) for number in range(count)]
    tiers = tuple(Tier(1000 * (count - 1 - number) // count, 0, mode) for number, mode in enumerate(modes))
    return PolicyConfig(tiers, dwell_s=60, hysteresis_permille=20, stale_s=STALE_S, stale_inferences=STALE_INFERENCES)
