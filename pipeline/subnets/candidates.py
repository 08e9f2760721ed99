# SPDX-License-Identifier: Apache-2.0
"""Candidate modes: which bits per block a calibration looks at.

All depth patterns at every trained width; and where there is more than one width, the best mixed modes that a search by
measured sensitivity finds (`pipeline.subnets.static_front`), spread evenly over the cost. Where the recipe forces as
many modes as may be published, those alone: nothing else has a chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dimmer.pipeline.core.progress import Tell
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, NetworkCost
from dimmer.pipeline.modes.width import falling
from dimmer.pipeline.networks.gates.budget import GateConfig, gate_places, gated_cost
from dimmer.pipeline.recipe.sections.publishing import SelectionSection
from dimmer.pipeline.subnets.static_front import StaticMode, static_front

if TYPE_CHECKING:
    from torch import Tensor

    from dimmer.pipeline.networks import Network


def candidate_modes(
    network: Network,
    forced: Sequence[Mode],
    selection: SelectionSection,
    temperature: float,
    x: Tensor,
    tell: Tell = lambda share: None,
    norms: Tensor | None = None,
) -> tuple[Mode, ...]:
    """The modes to calibrate, by falling bit-operations.

    Args:
        forced: the modes that are published whatever comes; super-net and base-net need not be named.
        temperature: of the distillation loss that measures sensitivity.
        x: float32[N,C,H,W], training images for the search.
        tell: called with about the share done.
        norms: as for `static_front`.
    """
    config, cost = network.config, network.cost()
    found = [*forced, network.super_mode(), network.base_mode()]
    if len(set(found)) >= selection.limit:
        return _dearest_first(found, cost)
    found += [mode for bits in config.bits for mode in network.depth_patterns(bits)]
    if config.bits != (FULL_BITS,) and selection.search:
        options = GateConfig((*sorted(config.bits, key=falling), 0))
        places = gate_places(config, options)
        front = static_front(network, gated_cost(config, cost, options), places, x, temperature, tell, norms)
        found += spread([point for point in front if point.mode not in found], selection.search)
    return _dearest_first(found, cost)


def _dearest_first(modes: Sequence[Mode], cost: NetworkCost) -> tuple[Mode, ...]:
    return tuple(sorted(dict.fromkeys(modes), key=lambda m: (-m.bit_operations(cost), str(m))))


def spread(front: Sequence[StaticMode], count: int) -> list[Mode]:
    """At most `count` modes of a front, evenly spaced in the logarithm of their cost."""
    if len(front) <= count:
        return [point.mode for point in front]
    low, high = (math.log(end.cost) for end in (front[-1], front[0]))
    left = list(front)
    chosen: list[Mode] = []
    for i in range(count):
        wanted = high + (low - high) * (i / (count - 1) if count > 1 else 0.5)
        nearest = min(left, key=lambda point: abs(math.log(point.cost) - wanted))
        left.remove(nearest)
        chosen.append(nearest.mode)
    return chosen
