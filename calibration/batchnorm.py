# SPDX-License-Identifier: Apache-2.0
"""Batch-norm recalibration: the cure for the collapse of sub-networks that were never trained.

The running statistics of every norm that a sub-network passes through are replaced by the plain mean over batches of
training images seen *by that sub-network*; gains and offsets stay. One recalibrated mode costs one set of multipliers
and biases in flash, and no weights. Many modes see nearly the same at a norm: `shared` gives these one set.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

Moments = tuple[Tensor, Tensor]
"""Of a batch norm's input: (mean float32[C], variance float32[C])."""
NormStatistics = Mapping[str, Moments]
"""Module name of a batch norm -> its own statistics, or those in their place."""

K = TypeVar("K", bound=Hashable)

EPS = 1e-5
"""Added to variances, as by torch's batch norms: what differs less does nothing to a result."""


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


def shared(own: Mapping[K, NormStatistics], trained: NormStatistics, tolerance: float) -> dict[K, NormStatistics]:
    """Statistics of modes, one for all modes that see nearly the same at a norm.

    Norm by norm, and means and variances each for themselves, a mode joins the set that is nearest to its own: the
    trained one, or one that a mode before it began; if none is within the tolerance it begins one. A set that began so
    ends as the mean of its modes' own. Where the variances are the trained ones the multipliers of the folded
    convolution are, too, and only its biases are others.

    Args:
        own: a mode -> statistics of its own.
        trained: of every norm that occurs in `own`.
        tolerance: on `shift` and `stretch`; with 0 only equal statistics are shared.

    Returns:
        A mode -> statistics, without those norms where the trained ones serve.
    """
    found: dict[K, dict[str, Moments]] = {mode: {} for mode in own}
    for name, before in trained.items():
        measured = {mode: statistics[name] for mode, statistics in own.items() if name in statistics}
        means = _near(measured, before, 0, shift, tolerance)
        variances = _near(measured, before, 1, stretch, tolerance)
        for mode in measured:
            if mode in means or mode in variances:
                found[mode][name] = (means.get(mode, before[0]), variances.get(mode, before[1]))
    return dict(found)


def shift(a: Moments, b: Moments) -> float:
    """How far apart the means of a norm are: the mean square over channels, in standard deviations of `a`."""
    return float(((b[0] - a[0]).square() / (a[1] + EPS)).double().mean())


def stretch(a: Moments, b: Moments) -> float:
    """How far apart its variances are: the mean square over channels of the logarithms of the deviations' ratio."""
    return float((0.5 * ((b[1] + EPS) / (a[1] + EPS)).log()).square().double().mean())


def _near(
    measured: Mapping[K, Moments],
    trained: Moments,
    part: int,
    distance: Callable[[Moments, Moments], float],
    tolerance: float,
) -> dict[K, Tensor]:
    """Means (part 0) or variances (part 1) of the modes for which the trained ones do not serve."""
    sets: list[tuple[Moments, list[K]]] = [(trained, [])]
    for mode, here in measured.items():
        centre, members = min(sets, key=lambda one: distance(one[0], here))
        if distance(centre, here) > tolerance:
            members = []
            sets.append((here, members))
        members.append(mode)
    means = ((torch.stack([measured[mode][part] for mode in members]).mean(0), members) for _, members in sets[1:])
    return {mode: mean for mean, members in means for mode in members}
