# SPDX-License-Identifier: Apache-2.0
"""Which epochs a kind of training has, and with which learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """Consecutive epochs of one kind.

    Attributes:
        first: its first epoch, counted from 0 over the whole training.
        epochs: how many.
        lr: peak learning rate.
        warmup: fraction of its steps in which the learning rate rises.
        drops: its epochs after which the rate falls to a tenth; empty for a cosine to zero.
    """

    first: int
    epochs: int
    lr: float
    warmup: float
    drops: tuple[int, ...] = ()

    @property
    def end(self) -> int:
        """The first epoch after it."""
        return self.first + self.epochs

    def learning_rate(self, epoch: int, step: int, per_epoch: int) -> float:
        """Of a step, counted within its epoch."""
        done = (epoch - self.first) * per_epoch + step
        if self.drops:
            warm = max(1, round(self.warmup * per_epoch * self.epochs))
            fallen = sum(epoch - self.first >= drop for drop in self.drops)
            return float(self.lr * min(1.0, (done + 1) / warm) * 0.1**fallen)
        return learning_rate(self.lr, self.warmup, done, per_epoch * self.epochs)


class Timetable:
    """Hands out phases, one after the other."""

    def __init__(self) -> None:
        self._end = 0

    def next(self, epochs: int, lr: float, warmup: float, drops: tuple[int, ...] = ()) -> Phase:
        """The phase that begins where the last one ended; it may have no epochs."""
        phase = Phase(self._end, epochs, lr, warmup, drops)
        self._end = phase.end
        return phase


def learning_rate(peak: float, warmup: float, step: int, steps: int) -> float:
    """Linear warm-up to the peak, then half a cosine to zero; ``step`` counts from 0 to steps - 1."""
    warm = max(1, round(warmup * steps))
    if step < warm:
        return peak * (step + 1) / warm
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
