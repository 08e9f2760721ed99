# SPDX-License-Identifier: Apache-2.0
"""Choosing each tensor's range by the error that it causes.

A range belongs to a **group** of sites: the same tensor in several sub-networks, or the block boundaries of a stage.
Every estimator proposes a range for the group's joint histogram; the proposal that disturbs the logits least, summed
over the sub-networks that decide for the group, wins. What is measured is the effect of that group alone, everything
else being float, so that the choice does not depend on the order of the groups.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from dimmer.calibration.observe import (
    Bounds,
    Forward,
    Tap,
    observe_bounds,
    observe_histograms,
    parts_of,
    quantising_tap,
)
from dimmer.calibration.ranges import Histogram, Range, affine, estimate
from dimmer.processes import spread

GroupOf = Callable[[str, str], str]
"""(network, site) -> the group whose range it uses."""


@dataclass(frozen=True)
class Choice:
    """The range of one group and how it was found.

    Attributes:
        group: its name.
        range: the chosen range.
        method: the estimator that proposed it; "fixed" where the range was given.
        errors: mean squared logit error of each estimator's proposal, summed over the sub-networks that decide; empty
            for a fixed range.
        members: (network, site) pairs that use it.
    """

    group: str
    range: Range
    method: str
    errors: Mapping[str, float]
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Settings:
    """How ranges are estimated.

    Attributes:
        methods: estimators to try, see `calibration.ranges.METHODS`.
        percentile: for the percentile estimator, in (50, 100].
        fixed: ranges that are known beforehand (the input's), by group.
    """

    methods: tuple[str, ...]
    percentile: float
    fixed: Mapping[str, Range]


def assign_ranges(
    networks: Mapping[str, Forward],
    group_of: GroupOf,
    batches: Sequence[Tensor],
    probe: Sequence[Tensor],
    settings: Settings,
    progress: Callable[[str, float], None] = lambda _what, _share: None,
    decides: Callable[[str], bool] = lambda _name: True,
) -> dict[str, Choice]:
    """One range for every group of sites of all sub-networks.

    Args:
        networks: sub-network name -> its forward with taps.
        batches: float32[N,C,H,W] each, for the histograms.
        probe: float32[N,C,H,W] each, for the logit error of the proposals.
        progress: called with a text and the share done, 0..1.
        decides: whether a sub-network has a say in the ranges of its groups. The others take what those choose; where
            a group has no member that decides, all of them do.

    Returns:
        Group name -> choice, in execution order.
    """
    members: dict[str, list[tuple[str, str]]] = {}
    seen: dict[tuple[str, str], Bounds] = {}
    for done, (name, forward) in enumerate(networks.items()):
        progress(f"bounds of {name}", 0.1 * done / len(networks))
        for site, b in observe_bounds(forward, batches).items():
            members.setdefault(group_of(name, site), []).append((name, site))
            seen[name, site] = b
    deciding = {group: [pair for pair in pairs if decides(pair[0])] or pairs for group, pairs in members.items()}
    bounds = {group: reduce(Bounds.joined, (seen[pair] for pair in pairs)) for group, pairs in deciding.items()}
    sites = {
        name: {group: own for group, pairs in deciding.items() if (own := {s for n, s in pairs if n == name})}
        for name in networks
    }
    histograms: dict[str, Histogram] = {}
    for done, (name, forward) in enumerate(networks.items()):
        progress(f"histograms of {name}", 0.1 + 0.2 * done / len(networks))
        of_site = {site: bounds[group] for group, own in sites[name].items() for site in own}
        for site, h in observe_histograms(forward, batches, of_site).items():
            group = group_of(name, site)
            histograms[group] = histograms[group].merged(h) if group in histograms else h
    errors = {g: {} if g in settings.fixed else _proposals(h, settings) for g, h in histograms.items()}

    def of_network(item: tuple[int, str]) -> _Errors:
        done, name = item
        progress(f"ranges of {name}", 0.3 + 0.7 * done / len(networks))
        return _errors(networks[name], sites[name], probe, errors)

    for found in spread(tuple(enumerate(networks)), of_network):
        for group, proposals in found.items():
            for grid, error in proposals.items():
                errors[group][grid].error += error
    return {group: _choice(group, tuple(pairs), errors[group], settings) for group, pairs in members.items()}


@dataclass
class _Proposal:
    """Of one or several estimators.

    Attributes:
        ranges: estimator -> its range; all of them give the same scale and zero point.
        error: mean squared error of the logits, summed over the sub-networks so far.
    """

    ranges: dict[str, Range]
    error: float = 0.0


_Grid = tuple[float, int]
_Errors = dict[str, dict[_Grid, float]]
"""Group -> grid -> mean squared error of the logits of one sub-network."""


def _proposals(histogram: Histogram, settings: Settings) -> dict[_Grid, _Proposal]:
    """Grid -> who proposes it."""
    found: dict[_Grid, _Proposal] = {}
    for method in settings.methods:
        proposed = estimate(method, histogram, settings.percentile)
        grid = affine(proposed)
        found.setdefault((round(grid.scale, 12), grid.zero_point), _Proposal({})).ranges[method] = proposed
    return found


def _errors(
    forward: Forward,
    groups: Mapping[str, Collection[str]],
    probe: Sequence[Tensor],
    proposals: Mapping[str, Mapping[_Grid, _Proposal]],
) -> _Errors:
    """Of one sub-network, the error of the logits when each group alone is quantised by each proposal.

    All before the first site of the group is float and computed once for all groups.

    Args:
        groups: group -> sites of this sub-network, at least one.
    """
    parts = parts_of(forward)
    found: _Errors = {}
    if not any(proposals[group] for group in groups):
        return found
    with torch.no_grad():
        sites: list[set[str]] = []
        inputs = list(probe)
        for part in parts:
            sites.append(set())
            inputs = [part(x, _noting(sites[-1])) for x in inputs]
        exact, inputs = torch.cat(inputs), list(probe)
        left = dict(groups)
        for at, part in enumerate(parts):
            for group in [group for group, own in left.items() if sites[at].intersection(own)]:
                own = left.pop(group)
                found[group] = {}
                for grid, proposal in proposals[group].items():
                    tap = quantising_tap(dict.fromkeys(own, next(iter(proposal.ranges.values()))))
                    logits = torch.cat([_through(parts[at:], x, tap) for x in inputs])
                    found[group][grid] = float(((logits - exact) ** 2).mean())
            inputs = [part(x, lambda _, tensor: tensor) for x in inputs]
    return found


def _noting(sites: set[str]) -> Tap:
    def tap(site: str, x: Tensor) -> Tensor:
        sites.add(site)
        return x

    return tap


def _through(parts: Sequence[Forward], x: Tensor, tap: Tap) -> Tensor:
    for part in parts:
        x = part(x, tap)
    return x


def _choice(
    group: str, members: tuple[tuple[str, str], ...], proposals: Mapping[_Grid, _Proposal], settings: Settings
) -> Choice:
    if group in settings.fixed:
        return Choice(group, settings.fixed[group], "fixed", {}, members)
    every = {m: (p.ranges[m], p.error) for m in settings.methods for p in proposals.values() if m in p.ranges}
    best = min(every, key=lambda m: every[m][1])
    return Choice(group, every[best][0], best, {m: error for m, (_, error) in every.items()}, members)
