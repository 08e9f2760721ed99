# SPDX-License-Identifier: Apache-2.0
"""A network that learns."""

from __future__ import annotations

import torch
from torch import Tensor

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import Network, clamp_gammas
from dimmer.pipeline.recipe.sections.training import TrainSection
from dimmer.pipeline.training.optimiser import make_optimizer


class Trainer:
    """A network with its optimizer on a device: what every kind of training changes.

    Args:
        network: moved to the device, channels last.
        settings: of the optimizer.
        device: a torch device.
        alone: the network is a plain one, with nothing to skip.

    Attributes:
        network: the network.
        optimizer: of all its parameters.
        device: where they are.
        super: the super-net's mode.
        base: the base-net's; None for a plain network, which has no base-net to teach.
    """

    def __init__(self, network: Network, settings: TrainSection, device: torch.device, *, alone: bool = False) -> None:
        self.network: Network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = make_optimizer(self.network, settings)
        self.device = device
        self.super: Mode = self.network.super_mode()
        self.base: Mode | None = None if alone else self.network.base_mode()

    def here(self, x: Tensor) -> Tensor:
        """Images float32[N,C,H,W] where the network is, channels last."""
        return x.to(self.device).contiguous(memory_format=torch.channels_last)

    def begin(self, lr: float) -> None:
        """Before a step: its learning rate, and no gradients."""
        self.set_rate(lr)
        self.optimizer.zero_grad()

    def set_rate(self, lr: float) -> None:
        """The learning rate of the next update."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def update(self) -> None:
        """Change the weights by their gradients."""
        self.optimizer.step()
        clamp_gammas(self.network)

    def forget(self) -> None:
        """Start again without momenta."""
        self.optimizer.state.clear()
