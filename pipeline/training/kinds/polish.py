# SPDX-License-Identifier: Apache-2.0
"""The last epochs: each step one mode alone learns from the super-net as it was before them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.tasks import distillation
from dimmer.pipeline.recipe.sections.training import PolishSection
from dimmer.pipeline.training.frozen import Frozen
from dimmer.pipeline.training.kinds.kind import Kind
from dimmer.pipeline.training.losses import Losses, mean_losses
from dimmer.pipeline.training.phases import Phase
from dimmer.pipeline.training.sampling import polished_mode
from dimmer.pipeline.training.trainer import Trainer

_PREFIX = "frozen."


class Polish(Kind):
    """Polish, in float32.

    Args:
        phase: its epochs.
        trainer: whose network is polished.
        settings: which modes have how many of the steps.
        temperature: of the distillation.
    """

    def __init__(self, phase: Phase, trainer: Trainer, settings: PolishSection, temperature: float) -> None:
        super().__init__(phase)
        self._trainer = trainer
        self._settings = settings
        self._temperature = temperature
        self._frozen = Frozen(trainer, _PREFIX)

    def prepare(self) -> None:
        """The super-net as it is now teaches from here on; the momenta are forgotten."""
        self._frozen.take()
        self._trainer.forget()

    def step(self, x: Tensor, labels: Tensor, lr: float, rng: np.random.Generator, i: int) -> Losses:
        """A mode drawn at random learns."""
        return self.teach(x, polished_mode(self._trainer.network, self._settings, rng), lr)

    def teach(self, x: Tensor, mode: Mode, lr: float) -> Losses:
        """One optimizer step in which one mode learns from the frozen super-net.

        Args:
            x: float32[N,C,H,W].
            mode: any.
            lr: learning rate of this step.
        """
        trainer = self._trainer
        trainer.begin(lr)
        measured = []
        for part in trainer.parts_of_images(x):
            loss = distillation(trainer.network(part, mode), self._frozen.logits(part), self._temperature)
            trainer.backward(loss)
            measured.append(Losses(loss.detach()))
        trainer.update()
        return mean_losses(measured)

    def state(self) -> dict[str, Tensor]:
        """The frozen network."""
        return self._frozen.state()

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up the frozen network, where the polish had begun."""
        self._frozen.restore(tensors)
