# SPDX-License-Identifier: Apache-2.0
"""What a kind of training is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from torch import Tensor

from dimmer.pipeline.data.dataset import Dataset
from dimmer.pipeline.training.batches import Batches
from dimmer.pipeline.training.losses import Losses
from dimmer.pipeline.training.phases import Phase


class Kind(ABC):
    """Consecutive epochs whose steps are alike.

    A further kind is a class like those beside this one, and its line in `pipeline/training/plan.py`.

    Attributes:
        narrow: whether the narrow widths, where the network has any, are worth measuring after its epochs.
        phase: its epochs and their learning rate.
    """

    narrow: ClassVar[bool] = True

    def __init__(self, phase: Phase) -> None:
        self.phase = phase

    def prepare(self) -> None:  # noqa: B027 (most kinds find everything as they need it)
        """Before the first of its epochs, and not again where a training goes on after that."""

    def reached(self, share: float) -> None:  # noqa: B027 (most kinds have steps that are all alike)
        """Before each step: the share of the kind's own steps that are done."""

    def number(self, epoch: int, i: int, per_epoch: int) -> int:
        """What a step is told as its number: that in its epoch, from 0.

        Args:
            epoch: of the whole training, from 0.
            i: of the step in it.
            per_epoch: steps of an epoch.
        """
        return i

    @abstractmethod
    def step(self, x: Tensor, labels: Tensor, lr: float, rng: np.random.Generator, i: int) -> Losses:
        """One optimizer step.

        Args:
            x: float32[N,C,H,W].
            labels: int64[N].
            lr: learning rate of this step.
            rng: of this epoch; the images were drawn from it before.
            i: of the step, as `number` has it.

        Returns:
            What it measured; the tensors may change with the next step.
        """

    def finish(self, images: Batches, dataset: Dataset) -> None:  # noqa: B027 (most kinds leave nothing to be done)
        """After the last epoch of the whole training, in the order of the kinds; once more where that was killed.

        Args:
            images: training images.
            dataset: of which they are; its validation images may decide.
        """

    def state(self) -> dict[str, Tensor]:
        """What its next step depends on beside network and optimizer; names that no other kind has."""
        return {}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:  # noqa: B027 (most kinds have no state)
        """Take up a state, in which other names occur too."""
