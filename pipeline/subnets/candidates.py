"""Candidate modes: which bits per block a calibration looks at.

All depth patterns at every trained width; and where there is more than one width, the best mixed modes that a search by
measured sensitivity finds (`pipeline.subnets.static_front`), spread evenly over the cost. Where the recipe forces as
many modes as may be published, those alone: nothing else has a chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from dimmer.pipeline.core.progress import Tell
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, depth_patterns
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.gates.budget import GateConfig, gate_places, gated_cost
from dimmer.pipeline.subnets.order import CalibrationOrder
from dimmer.pipeline.subnets.static_front import StaticMode, static_front


def candidate_modes(
    order: CalibrationOrder, network: Network, x: Tensor, tell: Tell = lambda share: None
) -> tuple[Mode, ...]:
    """The modes to calibrate, by falling bit-operations.

    Args:
        x: float32[N,C,H,W], training images for the search.
        tell: called with about the share done.
    """
    model, selection, found = order.model, order.selection, list(order.kept)
    if len(found) >= selection.limit:
        return _dearest_first(found, network)
    found += [mode for bits in model.bits for mode in depth_patterns(model.mandatory, model.skippable, bits)]
    if model.bits != (FULL_BITS,) and selection.search:
        options = GateConfig((*sorted(model.bits, reverse=True), 0))
        config, cost = network.config, network.cost()
        front = static_front(
            network, gated_cost(config, cost, options), gate_places(config, options), x, order.temperature, tell
        )
        found += spread([point for point in front if point.mode not in found], selection.search)
    return _dearest_first(found, network)


def _dearest_first(modes: Sequence[Mode], network: Network) -> tuple[Mode, ...]:
    cost = network.cost()
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
