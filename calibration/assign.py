# SPDX-License-Identifier: Apache-2.0
"""Choosing each tensor's range by the error that it causes.

A range belongs to a **group** of sites: the same tensor in several sub-networks, or the block boundaries of a stage.
Every estimator proposes a range for the group's joint histogram; the proposal that disturbs the logits least, summed
over the sub-networks in the group, wins. What is measured is the effect of that group alone, everything else being
float, so that the choice does not depend on the order of the groups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dimmer.calibration.observe import Bounds, Forward, observe_bounds, observe_histograms, quantising_tap
from dimmer.calibration.ranges import Histogram, Range, affine, estimate

GroupOf = Callable[[str, str], str]
"""(network, site) -> the group whose range it uses."""


@dataclass(frozen=True)
class Choice:
    """The range of one group and how it was found.

    Attributes:
        group: its name.
        range: the chosen range.
        method: the estimator that proposed it; "fixed" where the range was given.
        errors: mean squared logit error of each estimator's proposal; empty for a fixed range.
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


def _logits(forward: Forward, batches: Sequence[Tensor], ranges: Mapping[str, Range]) -> Tensor:
    with torch.no_grad():
        return torch.cat([forward(batch, quantising_tap(ranges)) for batch in batches])


def assign_ranges(
    networks: Mapping[str, Forward],
    group_of: GroupOf,
    batches: Sequence[Tensor],
    probe: Sequence[Tensor],
    settings: Settings,
    progress: Callable[[str, float], None] = lambda _what, _share: None,
) -> dict[str, Choice]:
    """One range for every group of sites of all sub-networks.

    Args:
        networks: sub-network name -> its forward with taps.
        batches: float32[N,C,H,W] each, for the histograms.
        probe: float32[N,C,H,W] each, for the logit error of the proposals.
        progress: called with a text and the share done, 0..1.

    Returns:
        Group name -> choice, in execution order.
    """
    members: dict[str, list[tuple[str, str]]] = {}
    bounds: dict[str, Bounds] = {}
    for done, (name, forward) in enumerate(networks.items()):
        progress(f"bounds of {name}", 0.1 * done / len(networks))
        for site, b in observe_bounds(forward, batches).items():
            group = group_of(name, site)
            members.setdefault(group, []).append((name, site))
            old = bounds.get(group, b)
            bounds[group] = Bounds(min(b.low, old.low), max(b.high, old.high))
    histograms: dict[str, Histogram] = {}
    for done, (name, forward) in enumerate(networks.items()):
        progress(f"histograms of {name}", 0.1 + 0.2 * done / len(networks))
        of_group = {s: bounds[g] for g, pairs in members.items() for n, s in pairs if n == name}
        for site, h in observe_histograms(forward, batches, of_group).items():
            group = group_of(name, site)
            histograms[group] = histograms[group].merged(h) if group in histograms else h
    exact = {name: _logits(forward, probe, {}) for name, forward in networks.items()}
    choices: dict[str, Choice] = {}
    for done, (group, pairs) in enumerate(members.items()):
        progress(f"ranges of {group}", 0.3 + 0.7 * done / len(members))
        if group in settings.fixed:
            choices[group] = Choice(group, settings.fixed[group], "fixed", {}, tuple(pairs))
            continue
        proposals = {m: estimate(m, histograms[group], settings.percentile) for m in settings.methods}
        measured: dict[tuple[float, int], float] = {}
        errors: dict[str, float] = {}
        for method, proposal in proposals.items():
            grid = affine(proposal)
            key = (round(grid.scale, 12), grid.zero_point)
            if key not in measured:
                measured[key] = _group_error(networks, pairs, probe, proposal, exact)
            errors[method] = measured[key]
        method = min(errors, key=lambda m: errors[m])
        choices[group] = Choice(group, proposals[method], method, errors, tuple(pairs))
    return choices


def _group_error(
    networks: Mapping[str, Forward],
    pairs: Sequence[tuple[str, str]],
    probe: Sequence[Tensor],
    proposal: Range,
    exact: Mapping[str, Tensor],
) -> float:
    """Mean squared error of the logits when this group alone is quantised, summed over its sub-networks."""
    total = 0.0
    for name in dict.fromkeys(n for n, _ in pairs):
        ranges = {site: proposal for n, site in pairs if n == name}
        total += float(((_logits(networks[name], probe, ranges) - exact[name]) ** 2).mean())
    return total
