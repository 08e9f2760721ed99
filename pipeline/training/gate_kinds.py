# SPDX-License-Identifier: Apache-2.0
"""The steps in which gates are trained, one class each, after Shen et al., Fractional Skipping (AAAI 2020)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
from torch import Tensor

from dimmer.pipeline.data.dataset import Images
from dimmer.pipeline.training.gate_trainer import GateLosses, GateTrainer, sample_budget

# Warm-up knows what to choose, and learns it faster than the steps behind it may.
_WARM_UP_RATE = 30.0


class GateKind(ABC):
    """Consecutive epochs whose steps are alike.

    Args:
        trainer: of the gates.
        first: its first epoch, counted from 0 over the whole training.
        epochs: how many.

    Attributes:
        name: what the history calls it.
        first: as given.
        end: the first epoch after it.
    """

    name: ClassVar[str]

    def __init__(self, trainer: GateTrainer, first: int, epochs: int) -> None:
        self.first = first
        self.end = first + epochs
        self._trainer = trainer

    @property
    def keeps(self) -> bool:
        """Whether gates of its epochs may be those to keep: while the backbone moves, they are not yet for the last."""
        return self._trainer.settings.backbone_lr == 0

    def begin(self, images: Images, tell: Callable[[float], None]) -> None:  # noqa: B027 (most kinds need nothing)
        """Before the first of its epochs, and again before the next one where a training goes on.

        Args:
            images: training images to try static modes on, uint8[N,H,W,C].
            tell: called with the share done, 0..1.
        """

    def rate(self, epoch: int, done: float) -> float:
        """Learning rate of the gates when a share of an epoch is done."""
        return self._trainer.settings.lr

    def step(self, x: Tensor, labels: Tensor, lr: float, rng: np.random.Generator) -> GateLosses:
        """One optimizer step with budgets drawn at random.

        Args:
            x: float32[N,C,H,W].
            labels: int64[N].
            lr: of the gates.
            rng: of this epoch; the images were drawn from it before.
        """
        settings = self._trainer.settings
        return self.teach(x, [sample_budget(settings, rng) for _ in range(settings.budgets_per_batch)], lr)

    @abstractmethod
    def teach(self, x: Tensor, budgets: Sequence[float], lr: float) -> GateLosses:
        """The gates learn from images float32[N,C,H,W], of which each budget has an equal part."""


class WarmUp(GateKind):
    """The gates learn to choose the best static mode within each budget; the backbone is frozen."""

    name = "warm-up"

    def begin(self, images: Images, tell: Callable[[float], None]) -> None:
        """Finds the static modes."""
        self._trainer.find_front(images, tell)

    def rate(self, epoch: int, done: float) -> float:
        """Thirty times that of the other steps."""
        return self._trainer.settings.lr * _WARM_UP_RATE

    def teach(self, x: Tensor, budgets: Sequence[float], lr: float) -> GateLosses:
        """Cross-entropy towards these modes."""
        return self._trainer.step(x, budgets, lr, self._trainer.towards_static_modes, alternatives=False)


class TowardsCost(GateKind):
    """The gates learn to keep to their budgets, and the backbone with them where it has a learning rate."""

    name = "cost"

    @property
    def _joint(self) -> bool:
        return self._trainer.settings.backbone_lr > 0

    def step(self, x: Tensor, labels: Tensor, lr: float, rng: np.random.Generator) -> GateLosses:
        """The backbone's step as in its own training, then one of both."""
        if self._joint:
            self._trainer.step_backbone(x, labels, rng)
        return super().step(x, labels, lr, rng)

    def teach(self, x: Tensor, budgets: Sequence[float], lr: float) -> GateLosses:
        """Distillation and budgets."""
        return self._trainer.step(x, budgets, lr, self._trainer.towards_budgets, joint=self._joint)


class Tuning(GateKind):
    """As towards the cost, with the learning rate falling to zero and the backbone frozen."""

    name = "tuning"

    @property
    def keeps(self) -> bool:
        """Always: the backbone rests."""
        return True

    def rate(self, epoch: int, done: float) -> float:
        """Half a cosine to zero."""
        share = (epoch - self.first + done) / (self.end - self.first)
        return self._trainer.settings.lr * (0.5 * (1 + math.cos(math.pi * share)))

    def teach(self, x: Tensor, budgets: Sequence[float], lr: float) -> GateLosses:
        """Distillation and budgets."""
        return self._trainer.step(x, budgets, lr, self._trainer.towards_budgets)


def gate_plan(trainer: GateTrainer) -> tuple[GateKind, ...]:
    """The steps that have epochs, in order."""
    settings = trainer.settings
    planned: tuple[tuple[type[GateKind], int], ...] = (
        (WarmUp, settings.warmup_epochs),
        (TowardsCost, settings.epochs),
        (Tuning, settings.tune_epochs),
    )
    kinds: list[GateKind] = []
    for kind, epochs in planned:
        if epochs:
            kinds.append(kind(trainer, kinds[-1].end if kinds else 0, epochs))
    return tuple(kinds)


def gate_kind_at(kinds: Sequence[GateKind], epoch: int) -> GateKind:
    """Whose epoch it is, counted from 0."""
    return next(kind for kind in kinds if epoch < kind.end)
