# SPDX-License-Identifier: Apache-2.0
"""Accuracy and loss of a network in a mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import torch

    from dimmer.pipeline.modes.mode import Mode
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from numpy.typing import NDArray

from dimmer.pipeline.data.dataset import Split
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.tasks import label_loss, right
from dimmer.processes import spread


@dataclass(frozen=True)
class Measured:
    """A mode on the validation images.

    Attributes:
        correct: bool[N].
        loss: mean cross-entropy.
    """

    correct: np.ndarray[Any, np.dtype[np.bool_]]
    loss: float

    @property
    def accuracy(self) -> float:
        """Share of images classified right, 0..1."""
        return float(self.correct.mean())


_SMALL = 50
"""Tensors of so many images come back from the allocator and stay in the caches."""


def measure(forward: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, labels: torch.Tensor) -> Measured:
    """Accuracy and loss over float32[N,C,H,W] images, which several processes share."""
    import torch

    with torch.no_grad():
        logits = torch.cat(spread(images.split(_SMALL), forward))
    return Measured(right(logits.numpy(), labels.numpy()), float(label_loss(logits, labels)))


_EVAL_BATCH = 250

# A GPU is hardly busy with 250 small images.
_EVAL_BATCH_GPU = 2500


@torch.no_grad()
def accuracy(network: Network, split: Split, mode: Mode, device: torch.device | None = None) -> float:
    """Percent of a split that the float32 network gets right in a mode, whatever the task; it ends up in eval mode."""
    network.eval()
    on_gpu = device is not None and device.type == "cuda"
    size = _EVAL_BATCH_GPU if on_gpu else _EVAL_BATCH

    def outputs(start: int) -> NDArray[np.float32]:
        x = to_input(split.images[start : start + size], device).contiguous(memory_format=torch.channels_last)
        found: NDArray[np.float32] = network(x, mode).cpu().numpy()
        return found

    with float32_convolutions(device):
        found = spread(range(0, len(split), size), outputs)
    return 100 * int(right(np.concatenate(found), split.labels).sum()) / len(split)


def float32_convolutions(device: torch.device | None) -> AbstractContextManager[None]:
    """A context without TF32, which a GPU's float32 convolutions take by default: the figures are float32's."""
    if device is None or device.type != "cuda":
        return nullcontext()
    now = torch.backends.cudnn
    return now.flags(enabled=now.enabled, benchmark=now.benchmark, deterministic=now.deterministic, allow_tf32=False)
