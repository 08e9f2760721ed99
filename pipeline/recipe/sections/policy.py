# SPDX-License-Identifier: Apache-2.0
"""[policy]: when the firmware turns the network down."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import bounded, require

MOST_TIERS = 7
"""Thresholds: with the tier below the last one the C tables hold one more, DIMMER_MAX_TIERS."""


@dataclass(frozen=True)
class PolicySection:
    """When the firmware turns the network down.

    Attributes:
        tiers: charge thresholds in permille, falling; under the first the second-best mode runs, and so on.
        hysteresis_permille: how far the charge must rise over a threshold before the better mode returns.
        dwell_s: shortest time between two changes upward, seconds.
        budgets: of the gates, falling, one for each tier and one more below the last threshold: the tiers are then
            gated. Empty for static modes.
    """

    tiers: tuple[int, ...] = (600, 400, 200)
    hysteresis_permille: int = 30
    dwell_s: int = 60
    budgets: tuple[float, ...] = ()

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
