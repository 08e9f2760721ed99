# SPDX-License-Identifier: Apache-2.0
"""The lesson: super-net and base-net learn, and in epochs of narrow widths sampled modes with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from torch import Tensor

from dimmer.pipeline.data.dataset import Dataset
from dimmer.pipeline.recipe.sections.training import TrainSection
from dimmer.pipeline.training.algorithm1 import AdaptiveStep
from dimmer.pipeline.training.batches import Batches, SettlingBatches
from dimmer.pipeline.training.kinds.kind import Kind
from dimmer.pipeline.training.losses import Losses
from dimmer.pipeline.training.phases import Phase
from dimmer.pipeline.training.recorded import RecordedSteps
from dimmer.pipeline.training.widths import settle_norms, widen


class Lesson(Kind):
    """Float epochs.

    Args:
        phase: its epochs.
        step: what a batch teaches.
        recorded: takes the steps, on a GPU.
        before: what a batch teaches until the share ``start`` of the steps is done.
        start: 0 where ``step`` is taken from the first on.
    """

    narrow: ClassVar[bool] = False

    def __init__(
        self,
        phase: Phase,
        step: AdaptiveStep,
        recorded: RecordedSteps | None = None,
        *,
        before: AdaptiveStep | None = None,
        start: float = 0.0,
    ) -> None:
        super().__init__(phase)
        self._step = step
        self._later = step
        self._recorded = recorded
        self._before = before
        self._start = start

    def reached(self, share: float) -> None:
        """The first steps are of the super-net alone, where the base-net starts later."""
        self._step = self._before if self._before is not None and share < self._start else self._later

    def step(self, x: Tensor, labels: Tensor, lr: float, rng: np.random.Generator, i: int) -> Losses:
        """Algorithm 1."""
        sampled = self._step.sample(rng)
        if self._recorded is None:
            return self._step.take(x, labels, lr, sampled)
        return self._recorded.take(self._step, x, labels, lr, sampled)


class NarrowLesson(Lesson):
    """Epochs in which modes of 4 and 2 bits learn too.

    Args:
        phase: its epochs.
        step: with a ``QatSection``.
        train: batch and seed of the images that norms are settled on.
        recorded: takes the steps, on a GPU.
    """

    narrow: ClassVar[bool] = True

    def __init__(
        self, phase: Phase, step: AdaptiveStep, train: TrainSection, recorded: RecordedSteps | None = None
    ) -> None:
        super().__init__(phase, step, recorded)
        self._train = train

    def prepare(self) -> None:
        """The narrow widths start from the norms of 8 bits; where a network is to be frozen, it is."""
        widen(self._step.trainer.network)
        if self._step.frozen is not None:
            self._step.frozen.take()

    def finish(self, images: Batches, dataset: Dataset) -> None:
        """Norms that saw modes of mixed widths get statistics of their own mode."""
        batches = SettlingBatches(images, self._train.batch, self._train.seed, dataset.order)
        settle_norms(self._step.trainer, batches, dataset.val)

    def state(self) -> dict[str, Tensor]:
        """The frozen network, where there is one."""
        return {} if self._step.frozen is None else self._step.frozen.state()

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take it up, where these epochs had begun."""
        if self._step.frozen is not None:
            self._step.frozen.restore(tensors)
