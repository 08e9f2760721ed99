"""What networks learn from: labels, each other's logits, and a teacher's."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from dimmer.pipeline.networks import Network


@dataclass(frozen=True)
class Losses:
    """What a step measured, detached.

    Attributes:
        label: the super-net's label loss.
        base: the base-net's distillation loss; None where there is no base-net.
    """

    label: Tensor
    base: Tensor | None


@dataclass(frozen=True)
class Lesson:
    """What a step leaves to the sampled mode and to the stem.

    Attributes:
        stem: the stem's output, whose backward pass waits for the gradients of all networks.
        shared: the same without its past; its ``grad`` gathers them.
        logits: the super-net's, float32[N,classes], detached.
        losses: measured so far.
    """

    stem: Tensor
    shared: Tensor
    logits: Tensor
    losses: Losses


def mixed_precision(device: torch.device, precision: str) -> torch.autocast | nullcontext[None]:
    """A context in which bf16 means bfloat16 convolutions, and fp32 float32 ones."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


class Teacher:
    """A network that no longer learns, whose logits others learn from (Hinton et al., 2015).

    Args:
        network: of the same family; its super-net teaches.
        precision: "fp32" or "bf16".
        device: where it runs.
    """

    def __init__(self, network: Network, precision: str, device: torch.device) -> None:
        self.network = network.to(device=device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self._mode = network.super_mode()
        self._precision = precision
        self._device = device

    def __call__(self, x: Tensor) -> Tensor:
        """float32[N,C,H,W] -> logits float32[N,classes], without a gradient."""
        with torch.no_grad(), mixed_precision(self._device, self._precision):
            logits: Tensor = self.network(x, self._mode).float()
        return logits
