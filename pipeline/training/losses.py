# SPDX-License-Identifier: Apache-2.0
"""What networks learn from beside the labels, and what a step measures."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.tasks import distillation


@dataclass(frozen=True)
class Losses:
    """What a step measured, detached.

    Attributes:
        main: the super-net's label loss; where one mode learns from another, its distillation loss.
        base: the base-net's distillation loss; None where no base-net learns.
    """

    main: Tensor
    base: Tensor | None = None


def mean_losses(parts: Sequence[Losses]) -> Losses:
    """What a step measured of which the parts of its batch, of equal size, measured these."""
    if len(parts) == 1:
        return parts[0]
    bases = [losses.base for losses in parts if losses.base is not None]
    main = torch.stack([losses.main for losses in parts]).mean()
    return Losses(main, torch.stack(bases).mean() if bases else None)


def mixed_precision(device: torch.device, precision: str) -> torch.autocast | nullcontext[None]:
    """A context in which bf16 means bfloat16 convolutions, fp16 those of half precision, and fp32 float32 ones."""
    kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)
    return nullcontext() if kind is None else torch.autocast(device.type, kind)


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


@dataclass(frozen=True)
class Taught:
    """A loss shared between labels and a teacher.

    Attributes:
        teacher: whose logits count.
        weight: the distillation's share, over 0 to 1.
        temperature: of its softmax.
    """

    teacher: Teacher
    weight: float
    temperature: float

    def __call__(self, label_loss: Tensor, logits: Tensor, x: Tensor) -> Tensor:
        """The whole loss of logits float32[N,classes] for the images float32[N,C,H,W]."""
        taught = distillation(logits, self.teacher(x), self.temperature)
        return (1 - self.weight) * label_loss + self.weight * taught
