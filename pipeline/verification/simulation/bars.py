# SPDX-License-Identifier: Apache-2.0
"""What a governor has to reach, and whether it does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dimmer.pipeline.verification.simulation.experiment import COMPUTED, GOVERNOR, OLD_TIERS
from dimmer.pipeline.verification.simulation.scenarios import Kind
from dimmer.pipeline.verification.simulation.summary import Summary


@dataclass(frozen=True)
class Bar:
    """A condition on one scenario.

    Attributes:
        value: what was found, in points or as a share.
        least: what it has to be.
    """

    scenario: str
    what: str
    value: float
    least: float

    @property
    def holds(self) -> bool:
        """Whether it is reached."""
        return self.value >= self.least


def bars_of(summaries: Sequence[Summary]) -> list[Bar]:
    """All conditions on some scenarios."""
    return [bar for summary in summaries for bar in (*_of(summary), *_longer(summary, summaries))]


def _longer(summary: Summary, others: Sequence[Summary]) -> Iterator[Bar]:
    """How much longer the governor lasts and answers no less than a robust fixed mode, of a board's first deadline."""
    same = [other for other in others if other.kind is Kind.DEADLINE and other.board == summary.board]
    later = [other for other in same if other.days > summary.days]
    if summary.kind is not Kind.DEADLINE or summary.robust_fixed is None or len(later) != len(same) - 1 or not later:
        return
    right = summary.row(summary.robust_fixed).right.value
    longest = max(other.days for other in same if other is summary or other.row(GOVERNOR).right.value >= right)
    yield Bar(summary.scenario, "life at the robust fixed mode's accuracy, over its own", longest / summary.days, 1.3)


def _of(summary: Summary) -> Iterator[Bar]:
    if summary.kind is Kind.DEADLINE:
        governor = summary.row(GOVERNOR)
        if not math.isnan(governor.over_robust.value):
            yield Bar(summary.scenario, "points over the robust fixed mode", 100 * governor.over_robust.value, 1.5)
        share = governor.right.value / summary.oracle.value
        yield Bar(summary.scenario, "share of the oracle's", share, 0.985)
        yield Bar(summary.scenario, "survival of the feasible devices", governor.feasible_survival, 0.985)
    elif summary.kind is Kind.SOLAR:
        governor, tiers = summary.row(GOVERNOR), summary.row(OLD_TIERS)
        over = 100 * governor.over_fixed.value
        if summary.scenario.endswith("100 mAh"):
            yield Bar(summary.scenario, "points over the best fixed mode", over, -0.3)
        elif "1 cm2" not in summary.scenario:
            least = 1.5 if summary.scenario.endswith("20 J") else 1.0
            yield Bar(summary.scenario, "points over the best fixed mode", over, least)
            if summary.scenario.endswith("10 mAh"):
                more = 100 * (governor.right.value - tiers.right.value)
                yield Bar(summary.scenario, "points over tiers off the hull", more, 0.0)
    elif summary.kind is Kind.RECHARGE:
        over = 100 * summary.row(COMPUTED).over_fixed.value
        yield Bar(summary.scenario, f"points of {COMPUTED} over the best fixed mode", over, 0.0)
