# SPDX-License-Identifier: Apache-2.0
"""The last epochs: each step one mode alone learns from the super-net as it was before them."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
from torch import Tensor

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.tasks import distillation
from dimmer.pipeline.recipe.sections.training import PolishSection
from dimmer.pipeline.training.kinds.kind import Kind
from dimmer.pipeline.training.losses import Losses, Teacher, mean_losses
from dimmer.pipeline.training.phases import Phase
from dimmer.pipeline.training.resume import take_state
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
        self._frozen: Teacher | None = None

    def prepare(self) -> None:
        """The super-net as it is now teaches from here on; the momenta are forgotten."""
        self._frozen = self._copy()
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
        assert self._frozen is not None
        trainer = self._trainer
        trainer.begin(lr)
        measured = []
        for part in trainer.parts_of_images(x):
            loss = distillation(trainer.network(part, mode), self._frozen(part), self._temperature)
            trainer.backward(loss)
            measured.append(Losses(loss.detach()))
        trainer.update()
        return mean_losses(measured)

    def state(self) -> dict[str, Tensor]:
        """The frozen network."""
        if self._frozen is None:
            return {}
        return {f"{_PREFIX}{name}": tensor for name, tensor in self._frozen.network.state_dict().items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up the frozen network, where the polish had begun."""
        found = {name.removeprefix(_PREFIX): t for name, t in tensors.items() if name.startswith(_PREFIX)}
        if found:
            self._frozen = self._copy()
            take_state(self._frozen.network, found)

    def _copy(self) -> Teacher:
        network = copy.deepcopy(self._trainer.network).requires_grad_(False)
        return Teacher(network, "fp32", self._trainer.device)
