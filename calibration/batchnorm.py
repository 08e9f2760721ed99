# SPDX-License-Identifier: Apache-2.0
"""Batch-norm recalibration: the cure for the collapse of sub-networks that were never trained.

The running statistics of every norm that a sub-network passes through are replaced by the plain mean over batches of
training images seen *by that sub-network*; gains and offsets stay. One recalibrated mode costs one set of multipliers
and biases in flash, and no weights. Many modes see nearly the same of a block: `shared` gives these one set.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

NormStatistics = Mapping[str, tuple[Tensor, Tensor]]
"""Module name of a batch norm -> (mean float32[C], variance float32[C]), its own or in their place."""

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


@dataclass(eq=False)
class _Shared:
    """Statistics of a part's norms, and the modes that have them."""

    statistics: NormStatistics
    members: list[NormStatistics]


def shared(
    own: Mapping[K, NormStatistics], trained: NormStatistics, part_of: Callable[[str], str], tolerance: float
) -> dict[K, NormStatistics]:
    """Statistics of modes, one set for all modes that see nearly the same of a part of the network.

    Part by part, a mode joins the set that is nearest to its own: the trained one, or the own one of a mode before it;
    if none is within the tolerance it begins one. A set that began so ends as the mean of its modes' own.

    Args:
        own: a mode -> statistics of its own. Modes are compared where they pass through the same norms of a part.
        trained: of every norm that occurs in `own`.
        part_of: the name of a norm -> the part in which norms are taken together.
        tolerance: on `distance`; with 0 only equal statistics are shared.

    Returns:
        A mode -> statistics, without those parts where the trained ones serve.
    """
    found: dict[K, dict[str, tuple[Tensor, Tensor]]] = {mode: {} for mode in own}
    sets: dict[tuple[str, ...], list[_Shared]] = {}
    chosen: list[tuple[K, _Shared]] = []
    for mode, measured in own.items():
        parts: dict[str, list[str]] = {}
        for name in measured:
            parts.setdefault(part_of(name), []).append(name)
        for names in map(tuple, parts.values()):
            here = {name: measured[name] for name in names}
            known = sets.setdefault(names, [_Shared({name: trained[name] for name in names}, [])])
            nearest = min(known, key=lambda one: distance(one.statistics, here))
            if distance(nearest.statistics, here) > tolerance:
                nearest = _Shared(here, [])
                known.append(nearest)
            nearest.members.append(here)
            chosen.append((mode, nearest))
    means = {id(one): _mean(one.members) for known in sets.values() for one in known[1:]}
    for mode, one in chosen:
        found[mode] |= means.get(id(one), {})
    return dict(found)


def distance(a: NormStatistics, b: NormStatistics) -> float:
    """How far apart two sets of statistics of the same norms are: 0, or their mean square difference over channels.

    That of the means in standard deviations of `a`, plus that of the logarithms of the standard deviations: what a norm
    does to its input otherwise with `b`, to first order.
    """
    total, channels = 0.0, 0
    for name, (mean, var) in a.items():
        other_mean, other_var = b[name]
        shift = (other_mean - mean).square() / (var + EPS)
        stretch = 0.5 * ((other_var + EPS) / (var + EPS)).log()
        total += float((shift + stretch.square()).double().sum())
        channels += len(mean)
    return total / channels


def _mean(members: Sequence[NormStatistics]) -> dict[str, tuple[Tensor, Tensor]]:
    """The plain mean of statistics of the same norms."""
    return {
        name: (
            torch.stack([one[name][0] for one in members]).mean(0),
            torch.stack([one[name][1] for one in members]).mean(0),
        )
        for name in members[0]
    }
