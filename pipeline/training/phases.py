"""What a training does in which epoch, and with which learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dimmer.pipeline.recipe.recipe import Recipe


@dataclass(frozen=True)
class Phase:
    """Consecutive epochs of one kind.

    Attributes:
        name: "float", "bits", "norms" or "polish".
        first: its first epoch, counted from 0 over the whole training.
        epochs: how many.
        lr: peak learning rate.
        warmup: fraction of its steps in which the learning rate rises.
    """

    name: str
    first: int
    epochs: int
    lr: float
    warmup: float

    @property
    def end(self) -> int:
        """The first epoch after it."""
        return self.first + self.epochs

    def learning_rate(self, epoch: int, step: int, per_epoch: int) -> float:
        """Of a step, counted within its epoch."""
        done = (epoch - self.first) * per_epoch + step
        return learning_rate(self.lr, self.warmup, done, per_epoch * self.epochs)


def learning_rate(peak: float, warmup: float, step: int, steps: int) -> float:
    """Linear warm-up to the peak, then half a cosine to zero; ``step`` counts from 0 to steps - 1."""
    warm = max(1, round(warmup * steps))
    if step < warm:
        return peak * (step + 1) / warm
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def phases(recipe: Recipe, *, alone: bool = False) -> tuple[Phase, ...]:
    """The phases of a recipe that have epochs, in order.

    Args:
        recipe: with the number of float epochs already in place.
        alone: of a plain network, which is trained in float for as many epochs as the adaptive one
            has before it is polished.
    """
    train, qat, polish = recipe.train, recipe.qat, recipe.polish
    planned = [
        ("float", train.epochs, train.lr, train.warmup),
        ("bits", qat.epochs, qat.lr, qat.warmup),
        ("norms", qat.norm_epochs, qat.norm_lr, qat.warmup),
    ]
    if alone:
        planned = [("float", sum(epochs for _, epochs, _, _ in planned), train.lr, train.warmup)]
    else:
        planned.append(("polish", polish.epochs, polish.lr, qat.warmup))
    found = []
    first = 0
    for name, epochs, lr, warmup in planned:
        if epochs:
            found.append(Phase(name, first, epochs, lr, warmup))
        first += epochs
    return tuple(found)
