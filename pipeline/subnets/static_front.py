# SPDX-License-Identifier: Apache-2.0
"""The best static modes of each cost, found by measured sensitivity: where the gates start from.

From the super-net down, each step makes one block cheaper: the one, and to the width, that raises the distance to the
super-net's logits least for the cost that it saves. All modes that were tried on the way count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dimmer.pipeline.core.progress import Tell
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.modes.width import BITS, bit_product
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.gates.budget import GatedCost, GatePlace
from dimmer.pipeline.networks.tasks import distillation
from dimmer.pipeline.subnets.norms import preferred

_BATCH = 250


@dataclass(frozen=True)
class StaticMode:
    """A mode that was tried.

    Attributes:
        mode: its bits.
        cost: as a fraction of the 8-bit super-net's.
        loss: distillation loss from the super-net.
    """

    mode: Mode
    cost: float
    loss: float


@torch.no_grad()
def static_front(
    network: Network,
    cost: GatedCost,
    places: Sequence[Sequence[GatePlace]],
    x: Tensor,
    temperature: float,
    tell: Tell = lambda share: None,
    norms: Tensor | None = None,
) -> tuple[StaticMode, ...]:
    """The modes of which none that was tried is both cheaper and nearer to the super-net, the dearest first.

    Args:
        network: left in eval mode.
        places: the blocks and their options; widths over 8 are left out.
        x: images float32[N,C,H,W] to measure on.
        temperature: of the distillation loss.
        tell: called with about the share done.
        norms: images float32[N,C,H,W] on which mixed modes get norm statistics of their own, where these bring them
            nearer to the super-net; without them all run with those that the network has, as gates do.
    """
    network.eval()
    options = [[tuple(b for b in place.options if b in BITS) for place in stage] for stage in places]
    flat = [(s, b) for s, stage in enumerate(options) for b in range(len(stage))]
    teacher = torch.cat([network(part, network.super_mode()).float() for part in x.split(_BATCH)])

    def distance(mode: Mode) -> float:
        logits = torch.cat([network(part, mode).float() for part in x.split(_BATCH)])
        return float(distillation(logits, teacher, temperature))

    def measure(mode: Mode) -> StaticMode:
        if norms is None:
            return StaticMode(mode, cost.relative(mode), distance(mode))
        with preferred(network, mode, norms, lambda: -distance(mode)) as found:
            return StaticMode(mode, cost.relative(mode), -found.chosen)

    tried = [measure(network.super_mode())]
    now = tried[0]
    begin, end = now.cost, cost.relative(Mode(tuple(tuple(o[-1] for o in stage) for stage in options)))
    while True:
        cheaper = [
            _with(now.mode, s, b, bits)
            for s, b in flat
            for bits in options[s][b]
            if bit_product(bits) < bit_product(now.mode.blocks[s][b])
        ]
        if not cheaper:
            break
        candidates = [measure(mode) for mode in cheaper]
        tried += candidates
        before = now
        now = min(candidates, key=lambda c: (c.loss - before.loss) / (before.cost - c.cost))
        tell((begin - now.cost) / max(begin - end, 1e-9))
    front: list[StaticMode] = []
    for found in sorted(tried, key=lambda t: (t.cost, t.loss)):
        if not front or found.loss < front[-1].loss:
            front.append(found)
    return tuple(reversed(front))


def best_within(front: Sequence[StaticMode], budget: float) -> StaticMode:
    """The nearest to the super-net that costs at most the budget; the cheapest where none does."""
    return next((found for found in front if found.cost <= budget), front[-1])


def _with(mode: Mode, stage: int, block: int, bits: int) -> Mode:
    blocks = [list(row) for row in mode.blocks]
    blocks[stage][block] = bits
    return Mode(tuple(map(tuple, blocks)))
