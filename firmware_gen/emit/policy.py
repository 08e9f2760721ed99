# SPDX-License-Identifier: Apache-2.0
"""The battery policy as the tables hold it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.gates import MODE_GATED

MAX_TIERS = 8


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
        dwell_s: least time after any change before going brighter.
        hysteresis_permille: extra charge needed to go brighter.
        hysteresis_millivolts: extra voltage needed to go brighter.
    """

    tiers: tuple[Tier, ...] = ()
    dwell_s: int = 0
    hysteresis_permille: int = 0
    hysteresis_millivolts: int = 0

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
        try:
            head = struct.pack(
                "<IHHHH", self.dwell_s, self.hysteresis_permille, self.hysteresis_millivolts, len(self.tiers), 0
            )
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
    return PolicyConfig(tiers, dwell_s=60, hysteresis_permille=20)
