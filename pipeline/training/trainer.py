# SPDX-License-Identifier: Apache-2.0
"""A network that learns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from dimmer import processes
from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import Network, clamp_gammas
from dimmer.pipeline.networks.layers.shared_norm import share_statistics
from dimmer.pipeline.recipe.sections.training import TrainSection
from dimmer.pipeline.training.optimiser import make_optimizer


def seed_torch(seed: int, epoch: int) -> None:
    """What a network of the user's draws itself, dropout for one, is that of the epoch, in every process its own."""
    torch.manual_seed(int(np.random.default_rng([seed, epoch, processes.rank()]).integers(2**63)))


class Trainer:
    """A network with its optimizer on a device: what every kind of training changes.

    Args:
        network: moved to the device, channels last.
        settings: of the optimizer.
        device: a torch device.
        alone: the network is a plain one, with nothing to skip.
        scaled: whether losses are scaled, so that gradients in half precision (fp16) do not vanish; for CUDA.

    Raises:
        DimmerError: its norms cannot be shared by several processes, or fp16 is wanted where no GPU is.

    Attributes:
        network: the network.
        optimizer: of all its parameters.
        device: where they are.
        super: the super-net's mode.
        base: the base-net's; None for a plain network, which has no base-net to teach.
        scaler: of the losses in half precision; without effect elsewhere.
    """

    def __init__(
        self,
        network: Network,
        settings: TrainSection,
        device: torch.device,
        *,
        alone: bool = False,
        scaled: bool = False,
    ) -> None:
        if scaled and device.type != "cuda":
            raise DimmerError('precision = "fp16" is for CUDA GPUs, and there is none here: write "bf16" or "fp32"')
        if processes.are_joined():
            share_statistics(network)
        self.network: Network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.scaler = torch.amp.GradScaler(device.type, enabled=scaled)
        self._parts = settings.accumulate
        self._parameters = list(self.network.parameters())
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

    @property
    def is_simple(self) -> bool:
        """Whether a step is one pass over a whole batch, in one process and without scaled losses."""
        return self._parts == 1 and not processes.are_joined() and not self.scaler.is_enabled()

    def parts(self, x: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """The parts of a batch whose gradients are added up, one after the other where the network is.

        Each part has every so many-th image, so that the first half of the parts makes up the first half of the batch.

        Args:
            x: float32[N,C,H,W].
            labels: int64[N], or the targets of another task.
        """
        for first, images in enumerate(self.parts_of_images(x)):
            yield images, labels[first :: self._parts].to(self.device)

    def parts_of_images(self, x: Tensor) -> Iterator[Tensor]:
        """As `parts`, of images alone."""
        for first in range(self._parts):
            yield self.here(x[first :: self._parts])

    def backward(self, loss: Tensor) -> None:
        """Adds a loss's gradients to those of the step."""
        self.scaler.scale(loss).backward()

    def update(self) -> None:
        """Change the weights by their gradients: the mean over all parts and all processes."""
        processes.average_gradients(self._parameters, self._parts)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        clamp_gammas(self.network)

    def forget(self) -> None:
        """Start again without momenta."""
        self.optimizer.state.clear()
