# SPDX-License-Identifier: Apache-2.0
"""The history of a training of gates, a line an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

from dimmer.pipeline.core.stage import Json

_EXCESS = 0.1


class Validated(NamedTuple):
    """Gated inferences of validation images; written as a list.

    Attributes:
        accuracy: percent right.
        cost: mean, as a fraction of the 8-bit super-net's.
    """

    accuracy: float
    cost: float


@dataclass(frozen=True)
class GateEpoch:
    """One line of the history.

    Attributes:
        epoch: counted from 1.
        step: "warm-up", "cost" or "tuning".
        loss: mean loss of the logits.
        miss: mean |cost / budget - 1| of the parts of the batches.
        val: budget -> what it gave.
        seconds: wall clock.
    """

    epoch: int
    step: str
    loss: float
    miss: float
    val: Mapping[str, Validated]
    seconds: float

    def __str__(self) -> str:
        at = ", ".join(f"{found.accuracy:.2f} % at {found.cost:.3f}" for found in self.val.values())
        return f"{self.step}, loss {self.loss:.3f}, off the budget by {self.miss:.0%}, validation {at}"

    def to_json(self) -> dict[str, Json]:
        """As it is written."""
        return asdict(self)


def penalty(line: GateEpoch) -> float:
    """What the epoch to keep has least of.

    The mean over the budgets of the share that is wrong on validation images, and of a tenth of the share by which the
    budget is exceeded.
    """
    each = [
        1 - found.accuracy / 100 + _EXCESS * max(0.0, found.cost / float(budget) - 1)
        for budget, found in line.val.items()
    ]
    return sum(each) / len(each)
