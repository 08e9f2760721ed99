# SPDX-License-Identifier: Apache-2.0
"""The optimizer."""

from __future__ import annotations

import torch
from torch import nn

from dimmer.pipeline.recipe.sections.training import ADAMW, TrainSection


def make_optimizer(network: nn.Module, settings: TrainSection) -> torch.optim.Optimizer:
    """SGD with momentum, or AdamW; norms and biases (all one-dimensional) have no weight decay."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": settings.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    if settings.optimizer == ADAMW:
        return torch.optim.AdamW(groups, lr=settings.lr, betas=(settings.momentum, 0.999))
    return torch.optim.SGD(groups, lr=settings.lr, momentum=settings.momentum, nesterov=settings.nesterov)
