# SPDX-License-Identifier: Apache-2.0
"""A network as it was before some epochs, whose logits modes learn from in them."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from dimmer.pipeline.training.losses import Teacher
from dimmer.pipeline.training.resume import take_state
from dimmer.pipeline.training.trainer import Trainer


class Frozen:
    """Nothing until `take` or `restore`.

    Args:
        trainer: whose network is frozen.
        prefix: of the names of its tensors in a training's state.
    """

    def __init__(self, trainer: Trainer, prefix: str) -> None:
        self._trainer = trainer
        self._prefix = prefix
        self._teacher: Teacher | None = None

    def take(self) -> None:
        """The network as it is now."""
        network = copy.deepcopy(self._trainer.network).requires_grad_(False)
        self._teacher = Teacher(network, "fp32", self._trainer.device)

    def logits(self, x: Tensor) -> Tensor:
        """The super-net's: float32[N,C,H,W] -> float32[N,classes], without a gradient."""
        assert self._teacher is not None
        return self._teacher(x)

    def base_logits(self, x: Tensor) -> Tensor:
        """As `logits`, the base-net's."""
        assert self._teacher is not None
        network = self._teacher.network
        with torch.no_grad():
            logits: Tensor = network(x, network.base_mode()).float()
        return logits

    def state(self) -> dict[str, Tensor]:
        """Its tensors; none before it was taken."""
        if self._teacher is None:
            return {}
        return {f"{self._prefix}{name}": tensor for name, tensor in self._teacher.network.state_dict().items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take it up from a state, where it is in there."""
        found = {name.removeprefix(self._prefix): t for name, t in tensors.items() if name.startswith(self._prefix)}
        if found:
            self.take()
            assert self._teacher is not None
            take_state(self._teacher.network, found)
