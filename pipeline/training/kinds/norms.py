# SPDX-License-Identifier: Apache-2.0
"""Epochs in which only the norms of the narrow widths learn."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.layers.norm import BitNorm
from dimmer.pipeline.networks.tasks import distillation
from dimmer.pipeline.training.kinds.kind import Kind
from dimmer.pipeline.training.losses import Losses, mean_losses, mixed_precision
from dimmer.pipeline.training.phases import Phase
from dimmer.pipeline.training.trainer import Trainer
from dimmer.pipeline.training.widths import narrow_modes


class Norms(Kind):
    """Super-net and base-net at each narrow width learn in turn, by their norms alone; 8 bits stay as they are.

    Args:
        phase: its epochs.
        trainer: of a network with narrow widths.
        precision: "fp32" or "bf16".
        temperature: of the distillation.
    """

    def __init__(self, phase: Phase, trainer: Trainer, precision: str, temperature: float) -> None:
        super().__init__(phase)
        self._trainer = trainer
        self._precision = precision
        self._temperature = temperature
        self._modes = narrow_modes(trainer.network.config)

    def number(self, epoch: int, i: int, per_epoch: int) -> int:
        """Counted over all epochs where one has fewer steps than there are modes, or the last ones would never come."""
        return i if per_epoch >= len(self._modes) else (epoch - self.phase.first) * per_epoch + i

    def step(self, x: Tensor, labels: Tensor, lr: float, rng: np.random.Generator, i: int) -> Losses:
        """The next mode learns from the super-net."""
        return self.teach(x, self._modes[i % len(self._modes)], lr)

    def teach(self, x: Tensor, mode: Mode, lr: float) -> Losses:
        """One optimizer step of the norms that a mode of one narrow width uses; nothing else changes.

        Args:
            x: float32[N,C,H,W].
            mode: all its blocks at 4 or at 2 bits.
            lr: learning rate of this step.
        """
        trainer = self._trainer
        trainer.begin(lr)
        network = trainer.network.eval()
        network.requires_grad_(False)
        bits = mode.blocks[0][0]
        for module in network.modules():
            if isinstance(module, BitNorm):
                module.at(bits).train().requires_grad_(True)
        measured = []
        for part in trainer.parts_of_images(x):
            with mixed_precision(trainer.device, self._precision):
                with torch.no_grad():
                    teacher = network(part, trainer.super).float()
                student = network(part, mode).float()
            loss = distillation(student, teacher, self._temperature)
            trainer.backward(loss)
            measured.append(Losses(loss.detach()))
        trainer.update()
        network.requires_grad_(True)
        return mean_losses(measured)
