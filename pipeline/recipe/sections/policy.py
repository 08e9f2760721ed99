# SPDX-License-Identifier: Apache-2.0
"""[policy]: when the firmware turns the network down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from dimmer.pipeline.core.checks import OneOf, bounded, require

STALE_S, STALE_INFERENCES = 3600, 10_000
"""As where there is no recipe, in `firmware_gen.emit.policy`."""

_FULL = "must be given with hysteresis_millivolts, and at least min_millivolts: or a full battery could stay dim"

RECHARGES = ("exponential", "uniform")
"""How long it takes until a charger comes: without memory; from nothing to two means."""
MOST_RECHARGE_HOURS = 100_000
"""More than eleven years."""

MOST_TIERS = 7
"""Thresholds: with the tier below the last one the C tables hold one more, DIMMER_MAX_TIERS."""


@dataclass(frozen=True)
class PolicySection:
    """When the firmware turns the network down.

    Attributes:
        tiers: charge thresholds in permille, falling; under the first the second-best mode runs, and so on. Empty where
            nothing is known: one mode then, the knee of accuracy over cost, and under 100 the cheapest.
        hysteresis_permille: how far the charge must rise over a threshold before the better mode returns.
        dwell_s: for so many seconds every report must allow the better mode before it returns.
        min_millivolts: voltage thresholds, one for each of `tiers`, falling: a mode needs both. Empty for none.
        hysteresis_millivolts: how far the voltage must rise over a threshold before the better mode returns.
        full_millivolts: of the full battery, more than which no mode needs to return.
        stale_s: a charge that the gauge does not tell for so many seconds is forgotten, and the last mode runs; 0 for
            never.
        stale_inferences: without a report for so many inferences, the cheapest mode runs; 0 for never.
        max_ms: a mode whose inference takes longer at the board's clock is never chosen, but for the cheapest; 0 for no
            limit.
        budgets: of the gates, falling, one for each tier and one more below the last threshold: the tiers are then
            gated. Empty for static modes.
        recharge: how long it takes until a charger comes: "exponential", "uniform", from nothing to two means; the
            thresholds are then computed from it, and `tiers` are not read. Empty for `tiers`.
        recharge_hours: the mean of that.
    """

    tiers: tuple[int, ...] = ()
    hysteresis_permille: int = 30
    dwell_s: int = 60
    min_millivolts: tuple[int, ...] = ()
    hysteresis_millivolts: int = 0
    full_millivolts: int = 0
    stale_s: int = STALE_S
    stale_inferences: int = STALE_INFERENCES
    max_ms: float = 0.0
    budgets: tuple[float, ...] = ()
    recharge: Annotated[str, OneOf(("", *RECHARGES))] = ""
    recharge_hours: float = 0.0

    def __post_init__(self) -> None:
        require(len(self.tiers) <= MOST_TIERS, "tiers", f"must be at most {MOST_TIERS}")
        given = not self.budgets or len(self.budgets) == len(self.tiers) + 1
        falling = all(a > b for a, b in zip(self.budgets, self.budgets[1:], strict=False))
        require(given and falling, "budgets", "must fall, one more than tiers")
        require(all(0 < b <= 1 for b in self.budgets), "budgets", "must be over 0 and at most 1")
        falling = all(a > b for a, b in zip(self.tiers, self.tiers[1:], strict=False))
        require(falling and all(0 < t < 1000 for t in self.tiers), "tiers", "must fall, from 999 permille to 1")
        require(0 <= self.hysteresis_permille < 1000, "hysteresis_permille", "must be 0 to 999")
        bounded(self.dwell_s, 0, 0xFFFF_FFFF, "dwell_s")
        bounded(self.max_ms, 0, 1e9, "max_ms")
        for key in ("hysteresis_millivolts", "full_millivolts", "stale_s", "stale_inferences"):
            bounded(getattr(self, key), 0, 0xFFFF, key)
        volts, falling = (
            self.min_millivolts,
            all(a >= b for a, b in zip(self.min_millivolts, self.min_millivolts[1:], strict=False)),
        )
        require(not volts or len(volts) == len(self.tiers), "min_millivolts", "must be as many as tiers")
        require(falling and all(0 < v <= 0xFFFF for v in volts), "min_millivolts", "must fall, from 65535 mV to 1")
        require(not volts or not self.full_millivolts or volts[0] <= self.full_millivolts, "full_millivolts", _FULL)
        require(not self.hysteresis_millivolts or bool(volts), "hysteresis_millivolts", "needs min_millivolts")
        require(not self.hysteresis_millivolts or self.full_millivolts > 0, "full_millivolts", _FULL)
        require(self.recharge in ("", *RECHARGES), "recharge", f"must be one of {', '.join(RECHARGES)}, or empty")
        bounded(self.recharge_hours, 0, MOST_RECHARGE_HOURS, "recharge_hours")
        both = (self.recharge != "") == (self.recharge_hours > 0)
        require(both, "recharge_hours", "goes with recharge: the mean, over 0; 0 without one")
        require(not self.recharge or not volts, "min_millivolts", "go with tiers, not with recharge: leave them out")
        require(not self.recharge or not self.budgets, "budgets", "go with tiers, not with recharge: leave them out")
