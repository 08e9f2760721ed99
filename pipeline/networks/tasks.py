# SPDX-License-Identifier: Apache-2.0
"""What a network's outputs are for: classes, several labels, or values. The targets tell which, by their type.

Targets are int64[N] numbers of classes; uint8[N,K], which labels hold; float32[N,K], values in tolerances from their
mean in training; int8[N,1+D], whether a sample is an anomaly, and the codes that are to be given back; or
float64[N,...] of several outputs, each with a task and a weight of its own (`dimmer.pipeline.data.dataset.Targets`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from dimmer.pipeline.data.dataset import Targets
from dimmer.pipeline.data.encoding import INPUT_SCALE
from dimmer.pipeline.data.given_back import errors, limit_of
from dimmer.pipeline.data.packed import Head, heads_of, is_packed


def distillation(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T^2 KL(teacher || student) of softened softmaxes, mean over the batch (Hinton et al., 2015); float[N,classes]."""
    log_student = F.log_softmax(student / temperature, 1)
    log_teacher = F.log_softmax(teacher / temperature, 1)
    return F.kl_div(log_student, log_teacher, log_target=True, reduction="batchmean") * temperature**2


def label_loss(outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """What learning makes small, mean over the batch: cross-entropy, of each label or of classes, smooth L1, or
    the squared error of what is given back.

    Args:
        outputs: float32[N,K].
        targets: of any task.
        smoothing: of classes, share of a label's weight that all of them have alike.
    """
    if targets.dtype == torch.float64:
        heads = heads_of_tensor(targets)
        return sum_of(
            head.weight * label_loss(outputs[:, head.place], head.truth_of_tensor(targets), smoothing) for head in heads
        )
    if targets.dtype == torch.uint8:
        return F.binary_cross_entropy_with_logits(outputs, targets.float())
    if targets.dtype == torch.int8:
        return F.mse_loss(outputs, targets[:, 1:] * INPUT_SCALE)
    if targets.is_floating_point():
        return F.smooth_l1_loss(outputs, targets)
    return F.cross_entropy(outputs, targets, label_smoothing=smoothing)


def imitation(student: Tensor, teacher: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """The loss of one mode that learns from another, as the task asks: see `distillation` for classes.

    Args:
        student: float32[N,K].
        teacher: float32[N,K], without a gradient.
        targets: that tell the task; their values count for nothing.
        temperature: of the softmax, or of the sigmoid of each label; of no use for values.
    """
    if targets.dtype == torch.float64:
        return sum_of(
            head.weight
            * imitation(student[:, head.place], teacher[:, head.place], head.truth_of_tensor(targets), temperature)
            for head in heads_of_tensor(targets)
        )
    if targets.dtype == torch.uint8:
        soft = torch.sigmoid(teacher / temperature)
        return F.binary_cross_entropy_with_logits(student / temperature, soft) * temperature**2
    if targets.dtype == torch.int8:
        return F.mse_loss(student, teacher)
    if targets.is_floating_point():
        return F.smooth_l1_loss(student, teacher)
    return distillation(student, teacher, temperature)


def heads_of_tensor(targets: Tensor) -> tuple[Head, ...]:
    """The outputs that targets float64[N,...] are of."""
    return heads_of(targets[0].tolist())


def sum_of(losses: Iterable[Tensor]) -> Tensor:
    """Of one loss or more."""
    return torch.stack(list(losses)).sum()


def limit_chosen_by(outputs: NDArray[np.floating], targets: Targets) -> float | None:
    """The limit of anomalies that samples of validation choose, as `limit_of`; None where the task has none."""
    return limit_of(outputs, targets) if targets.dtype == np.int8 else None


def right(outputs: NDArray[np.floating], targets: Targets, limit: float | None = None) -> NDArray[np.bool_]:
    """Of which samples the outputs are right: the class, every label, every value within its tolerance, or whether it
    is an anomaly; of several outputs, of which samples all that decide are right.

    Args:
        outputs: float[N,K], dequantised where they are codes.
        targets: of any task.
        limit: of anomalies, which need it: `limit_chosen_by` outputs of validation.

    Examples:
        >>> right(np.array([[0.5, -9.0]]), np.array([[1.4, -9.5]], np.float32)).tolist()
        [True]
        >>> right(np.array([[0.5, -9.0]]), np.array([[0, 0]], np.uint8)).tolist()
        [False]
    """
    found: NDArray[np.bool_]
    if is_packed(targets):
        deciding = [head for head in heads_of(targets[0]) if head.decides] if len(targets) else []
        found = np.ones(len(targets), np.bool_)
        for head in deciding:
            found &= right(outputs[:, head.place], head.truth(targets))
    elif targets.dtype == np.int8:
        # One of the very samples would be the best for them, not what a device has.
        assert limit is not None, "anomalies are told by a limit of validation"
        found = (errors(outputs, targets) > limit) == (targets[:, 0] > 0)
    elif targets.dtype == np.uint8:
        found = ((outputs > 0) == (targets > 0)).all(1)
    elif np.issubdtype(targets.dtype, np.floating):
        found = (np.abs(outputs - targets) <= 1).all(1)
    else:
        found = outputs.argmax(1) == targets
    return found
