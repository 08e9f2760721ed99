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
from dimmer.pipeline.networks.tasks import label_loss, limit_chosen_by, right
from dimmer.processes import spread


@dataclass(frozen=True)
class Measured:
    """A mode on validation or test images.

    Attributes:
        correct: bool[N].
        loss: mean cross-entropy.
        limit: of anomalies, by which it was told whether one is; None for another task.
    """

    correct: np.ndarray[Any, np.dtype[np.bool_]]
    loss: float
    limit: float | None = None

    @property
    def accuracy(self) -> float:
        """Share of images classified right, 0..1."""
        return float(self.correct.mean())


_SMALL = 50
"""Tensors of so many images come back from the allocator and stay in the caches."""


def measure(
    forward: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    labels: torch.Tensor,
    limit: float | None = None,
) -> Measured:
    """Accuracy and loss over float32[N,C,H,W] images, which several processes share.

    Args:
        limit: of anomalies, as it was measured on validation; None where the images are validation's, which choose it.
    """
    import torch

    with torch.no_grad():
        logits = torch.cat(spread(images.split(_SMALL), forward))
    outputs, targets = logits.numpy(), labels.numpy()
    limit = limit_chosen_by(outputs, targets) if limit is None else limit
    return Measured(right(outputs, targets, limit), float(label_loss(logits, labels)), limit)


_EVAL_BATCH = 250

# A GPU is hardly busy with 250 small images.
_EVAL_BATCH_GPU = 2500


def accuracy(
    network: Network, split: Split, mode: Mode, device: torch.device | None = None, validation: Split | None = None
) -> float:
    """Percent of a split that the float32 network gets right in a mode, whatever the task; it ends up in eval mode.

    Args:
        validation: chooses the limit of anomalies; None where the split is validation itself.
    """
    return 100 * int(right_in_float(network, split, mode, device, validation).sum()) / len(split)


def right_in_float(
    network: Network,
    split: Split,
    mode: Mode,
    device: torch.device | None = None,
    validation: Split | None = None,
    at_once: int | None = None,
) -> NDArray[np.bool_]:
    """bool[N]: which samples of a split the float32 network gets right in a mode; otherwise as `accuracy`.

    Args:
        at_once: images of a batch; None for what suits the device.
    """
    found, limit = _outputs(network, split, mode, device, at_once), None
    if split.labels.dtype == np.int8:
        chosen_on = split if validation is None else validation
        outputs = found if chosen_on is split else _outputs(network, chosen_on, mode, device, at_once)
        limit = limit_chosen_by(outputs, chosen_on.labels)
    return right(found, split.labels, limit)


@torch.no_grad()
def _outputs(
    network: Network, split: Split, mode: Mode, device: torch.device | None, at_once: int | None
) -> NDArray[np.float32]:
    """float32[N,outputs]; several processes share the images."""
    network.eval()
    on_gpu = device is not None and device.type == "cuda"
    size = at_once or (_EVAL_BATCH_GPU if on_gpu else _EVAL_BATCH)

    def outputs(start: int) -> NDArray[np.float32]:
        x = to_input(split.images[start : start + size], device).contiguous(memory_format=torch.channels_last)
        found: NDArray[np.float32] = network(x, mode).cpu().numpy()
        return found

    with float32_convolutions(device):
        return np.concatenate(spread(range(0, len(split), size), outputs))


def float32_convolutions(device: torch.device | None) -> AbstractContextManager[None]:
    """A context without TF32, which a GPU's float32 convolutions take by default: the figures are float32's."""
    if device is None or device.type != "cuda":
        return nullcontext()
    now = torch.backends.cudnn
    return now.flags(enabled=now.enabled, benchmark=now.benchmark, deterministic=now.deterministic, allow_tf32=False)
