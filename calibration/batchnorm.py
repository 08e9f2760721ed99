# SPDX-License-Identifier: Apache-2.0
"""Batch-norm recalibration: the cure for the collapse of sub-networks that were never trained.

The running statistics of every norm that a sub-network passes through are replaced by the plain mean over batches of
training images seen *by that sub-network*; gains and offsets stay. One recalibrated mode costs one set of multipliers
and biases in flash, and no weights.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import torch
from torch import Tensor, nn

NormStatistics = Mapping[str, tuple[Tensor, Tensor]]
"""Module name of a batch norm -> (mean float32[C], variance float32[C]), its own or in their place."""


def statistics(network: nn.Module) -> NormStatistics:
    """A copy of the running statistics of every batch norm of a network."""
    return {
        name: (m.running_mean.clone(), m.running_var.clone())
        for name, m in network.named_modules()
        if isinstance(m, nn.BatchNorm2d) and m.running_mean is not None and m.running_var is not None
    }


def load_statistics(network: nn.Module, saved: NormStatistics) -> None:
    """Writes statistics back; names that the network lacks are a KeyError, since they belong to another network."""
    modules = dict(network.named_modules())
    for name, (mean, var) in saved.items():
        norm = modules[name]
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(var)


def recalibrated(
    network: nn.Module, forward: Callable[[Tensor], object], batches: Iterable[Tensor], keep: Collection[str] = ()
) -> NormStatistics:
    """Statistics measured by running `forward` over `batches` with every norm in training mode.

    Args:
        network: left as it was found, its mode and its statistics included.
        forward: one sub-network of it, called with no gradient.
        batches: float32[N,C,H,W] each; equal N, or the mean over batches is not the mean over images.
        keep: names of norms that work with the statistics that they have.

    Returns:
        Only the norms that `forward` passed through, without those to keep.
    """
    before = statistics(network)
    was_training = network.training
    norms = {n: m for n, m in network.named_modules() if isinstance(m, nn.BatchNorm2d) and n not in keep}
    momenta = {name: norm.momentum for name, norm in norms.items()}
    touched: set[str] = set()
    hooks = [norm.register_forward_hook(lambda *_, name=name: touched.add(name)) for name, norm in norms.items()]
    try:
        network.eval()
        for norm in norms.values():
            norm.train()
            norm.reset_running_stats()
            norm.momentum = None  # PyTorch's switch for a cumulative mean instead of an exponential one
        with torch.no_grad():
            for batch in batches:
                forward(batch)
        measured = statistics(network)
        return {name: measured[name] for name in sorted(touched)}
    finally:
        for hook in hooks:
            hook.remove()
        for name, norm in norms.items():
            norm.momentum = momenta[name]
        network.train(was_training)
        load_statistics(network, before)
        for norm in norms.values():
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.zero_()
