# SPDX-License-Identifier: Apache-2.0
"""How long a device lasts under its governor, and how often it is then right, where all is as its recipe says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Lasting:
    """A life under the governor.

    Attributes:
        days: to the deadline; or to the reserve, if the best mode throughout reaches that no sooner than the deadline,
            or if what is drawn between inferences reaches it sooner.
        accuracy: of the inferences that are wanted, 0..1; one that is left out counts as wrong.
        run: share of them that run.
    """

    days: float
    accuracy: float
    run: float


def lasting(
    capacity_uc: float,
    reserve: float,
    days: float,
    idle_ua: float,
    inferences: float,
    points: Sequence[tuple[float, float]],
) -> Lasting:
    """What even spending gives: the mixture of two neighbours that reaches the deadline.

    Args:
        capacity_uc: of the full battery, microcoulombs.
        reserve: share of it that is kept, 0..1.
        days: to the deadline.
        idle_ua: drawn between inferences, microamperes.
        inferences: wanted in a day.
        points: microcoulombs of an inference and accuracy of each mode of the hull, by rising charge.

    Examples:
        >>> lasting(86.4e6, 0.0, 100, 5.0, 8640, [(40.0, 0.8), (60.0, 0.9)])
        Lasting(days=100, accuracy=0.85, run=1.0)
        >>> lasting(86.4e6, 0.0, 100, 20.0, 8640, [(40.0, 0.8), (60.0, 0.9)])
        Lasting(days=50.0, accuracy=0.0, run=0.0)
    """
    spendable, idle_uc = capacity_uc * (1 - reserve), idle_ua * 86_400
    if idle_uc * days >= spendable:
        return Lasting(spendable / idle_uc, 0.0, 0.0)
    budget = (spendable / days - idle_uc) / inferences
    before = (0.0, 0.0)
    for point in points:
        if budget < point[0]:
            share = (budget - before[0]) / (point[0] - before[0])
            accuracy = before[1] + share * (point[1] - before[1])
            return Lasting(days, round(accuracy, 12), round(share, 12) if before == (0.0, 0.0) else 1.0)
        before = point
    return Lasting(spendable / (before[0] * inferences + idle_uc), before[1], 1.0)
