# SPDX-License-Identifier: Apache-2.0
"""Gates in front of their float network, and what they choose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dimmer.pipeline.artifacts.gate_record import Measured
from dimmer.pipeline.data.dataset import Split
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.modes.width import BITS, character_of
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.gates.budget import budget_level, gated_cost
from dimmer.pipeline.networks.gates.network import GatedNetwork, Gates
from dimmer.pipeline.recipe.sections.gates import GatesSection

_EVAL_BATCH = 250


def make_gated(network: Network, settings: GatesSection, gates: Gates | None = None) -> GatedNetwork:
    """A network with its gates; untrained ones by default: seed torch before for repeatable weights."""
    config, shape = network.config, settings.config()
    cost = gated_cost(config, network.cost(), shape, settings.reference_bits)
    return GatedNetwork(network, gates or Gates(config, shape), cost)


def levels(budget: float, x: Tensor) -> Tensor:
    """The level of a budget for each image of float32[N,C,H,W]: float32[N]."""
    return torch.full((len(x),), float(budget_level(budget)), device=x.device)


@torch.no_grad()
def measure(gated: GatedNetwork, split: Split, budget: float, count: int | None = None) -> Measured:
    """Classifies the first `count` images of a split, all of them by default; the network ends up in eval mode."""
    gated.eval()
    device = next(gated.parameters()).device
    total = min(len(split), count or len(split))
    shape = [len(stage) for stage in gated.cost.blocks]
    right, spent = 0, 0.0
    modes: Counter[str] = Counter()
    for start in range(0, total, _EVAL_BATCH):
        stop = min(start + _EVAL_BATCH, total)
        x = to_input(split.images[start:stop]).contiguous(memory_format=torch.channels_last).to(device)
        outcome = gated(x, levels(budget, x))
        right += int((outcome.logits.argmax(1).cpu().numpy() == split.labels[start:stop]).sum())
        spent += float(outcome.cost.double().sum())
        modes.update(_names(outcome.bits(), shape, gated.gates.config.options))
    return Measured(100 * right / total, spent / total, dict(modes.most_common()))


@torch.no_grad()
def choices(gated: GatedNetwork, split: Split, budget: float) -> NDArray[np.int64]:
    """What the gates choose for a split: bits, int64[N, blocks]; the network ends up in eval mode."""
    gated.eval()
    rows = []
    for start in range(0, len(split), _EVAL_BATCH):
        x = to_input(split.images[start : start + _EVAL_BATCH])
        rows.append(gated(x, levels(budget, x)).bits().numpy())
    return np.concatenate(rows)


def _names(bits: Tensor, shape: Sequence[int], options: Sequence[int]) -> list[str]:
    """int64[N, blocks] -> the modes' names.

    Options over 8 bits, which no mode has, are written as numbers, and blocks are apart by commas then. That is decided
    by what may be chosen, not by what was: a mode has one name, whatever else is in its batch.
    """
    comma = "" if set(options) <= set(BITS) else ","
    shown = {width: character_of(width) if width in BITS else str(width) for width in options}
    names = []
    for row in bits.tolist():
        stages, at = [], 0
        for count in shape:
            stages.append(comma.join(shown[width] for width in row[at : at + count]))
            at += count
        names.append(".".join(stages))
    return names
