# SPDX-License-Identifier: Apache-2.0
"""Gates that choose every block's bits for the input at hand, after Shen et al., Fractional Skipping (AAAI 2020).

Where a stage begins, its input is pooled. Each block of the stage then has a 1x1 convolution of the pooled channels and
the budget to a few features, one recurrent cell that all blocks share takes a step, and a linear layer gives the
block's logits. The arg-max is the choice, with a straight-through gradient; nothing is drawn at random.

All blocks of a stage are decided at its entry, because the norms of its mandatory blocks depend on whether its
skippable sub-path will be executed. Fractional Skipping decides block by block, and has no such norms.

The cell is the simplest that has an exact integer form: h' = clamp(W f + U h + b, -1, 1). Its state lives in a fixed
range, needs no table and no division, and requantises by a shift; a few dozen steps do not need the gates of an LSTM.
Weights and activations are rounded in training as they are on the device (`pipeline/networks/gates/integer.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.modes.width import runnable
from dimmer.pipeline.networks.family import NetworkConfig, SkipFlags
from dimmer.pipeline.networks.gates.budget import GateConfig, GatedCost, GatePlace, gate_places
from dimmer.pipeline.networks.network import Block, Network

POOL_FRACTION = 8
"""Fraction bits of the pooled channels and of the budget."""
FEATURE_FRACTION = 5
"""Fraction bits of the features, which are 0..127 steps."""
HIDDEN_FRACTION = 7
"""Fraction bits of the cell's state, which is -127..127 steps."""
MAX_CODE = 127
MAX_WEIGHT_FRACTION = 12
LEVEL_STEP = 1 / 64
"""What one level of the budget counts as the last pooled channel."""
_LEAK = 0.1


def weight_fraction(weight: Tensor) -> int:
    """Fraction bits of a weight's int8 codes: the most with which none of them overflows."""
    largest = float(weight.detach().abs().max())
    if not 0 < largest < math.inf:
        # Of a training that diverged, whose loss is no number either.
        return MAX_WEIGHT_FRACTION
    fraction = math.floor(math.log2(MAX_CODE / largest))
    while round(largest * 2.0**fraction) > MAX_CODE:
        fraction -= 1
    return min(fraction, MAX_WEIGHT_FRACTION)


def _on_grid(x: Tensor, fraction: int, low: float = -math.inf, high: float = math.inf) -> Tensor:
    """Rounded half up to steps of 2^-fraction and clamped to codes low..high; the gradient passes straight through."""
    scale = 2.0**fraction
    with torch.no_grad():
        error = torch.floor(x * scale + 0.5).clamp(low, high) / scale - x
    return x + error


def _clamp(x: Tensor, low: float, high: float) -> Tensor:
    """Clamped, with a tenth of the gradient outside, so that a unit that has run into a limit can come back."""
    inside = x.clamp(low, high)
    rest = _LEAK * (x - inside)
    return inside + (rest - rest.detach())


class GateLinear(nn.Module):
    """y = W x + b with the weights rounded to int8 codes and the biases to the steps of the sum.

    Args:
        input_fraction: fraction bits of x.
    """

    def __init__(self, inputs: int, outputs: int, input_fraction: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")
        self.input_fraction = input_fraction
        self.rounded = True

    def forward(self, x: Tensor) -> Tensor:
        """float[N,I] -> float[N,O]."""
        if not self.rounded:
            return F.linear(x, self.weight, self.bias)
        fraction = weight_fraction(self.weight)
        weight = _on_grid(self.weight, fraction, -MAX_CODE, MAX_CODE)
        return F.linear(x, weight, _on_grid(self.bias, fraction + self.input_fraction))


@dataclass(frozen=True)
class Choice:
    """What the gates chose for one block.

    Attributes:
        place: the block.
        weights: float[N, options], one-hot, with the straight-through gradient of the softmax.
        picked: int64[N], the index among the block's options.
        logits: float[N, options].
    """

    place: GatePlace
    weights: Tensor
    picked: Tensor
    logits: Tensor


class Gates(nn.Module):
    """The gates of a whole network.

    Attributes:
        config: the shape.
        places: the blocks, stage by stage.
        entries: each block's 1x1 convolution.
        cell: of [features, state]; shared by all blocks.
        heads: each block's logits.
    """

    def __init__(self, network: NetworkConfig, config: GateConfig) -> None:
        super().__init__()
        self.config = config
        self.places = gate_places(network, config)
        flat = [place for stage in self.places for place in stage]
        self.entries = nn.ModuleList(GateLinear(p.channels + 1, config.features, POOL_FRACTION) for p in flat)
        # Two matrices with a grid each, since features and state have different steps; the sum has one bias.
        self.cell_in = GateLinear(config.features, config.hidden, FEATURE_FRACTION)
        self.cell_state = nn.Linear(config.hidden, config.hidden, bias=False)
        self.heads = nn.ModuleList(GateLinear(config.hidden, len(p.options), HIDDEN_FRACTION) for p in flat)
        nn.init.orthogonal_(self.cell_state.weight, gain=0.7)
        self.rounded = True

    def set_rounded(self, rounded: bool) -> None:
        """Whether weights and activations are rounded as on the device; off only to measure what it changes."""
        self.rounded = rounded
        for module in self.modules():
            if isinstance(module, GateLinear):
                module.rounded = rounded

    def start(self, count: int, device: torch.device | None = None) -> Tensor:
        """The state before the first stage, float[count, hidden]."""
        return torch.zeros(count, self.config.hidden, device=device)

    def cell_fraction(self) -> int:
        """Fraction bits of both of the cell's matrices: one, so that their sums need no alignment."""
        return min(weight_fraction(self.cell_in.weight), weight_fraction(self.cell_state.weight))

    def forward(self, stage: int, entry: Tensor, level: Tensor, state: Tensor) -> tuple[list[Choice], Tensor]:
        """Chooses for all blocks of a stage.

        Args:
            stage: its index.
            entry: the residual stream where it begins, float[N,C,H,W].
            level: of the budget, 0..255 (`budget_level`), float[N].
            state: of the cell, float[N, hidden].

        Returns:
            The choices and the new state.
        """
        pooled = torch.cat([entry.float().mean((2, 3)), LEVEL_STEP * level[:, None]], 1)
        if self.rounded:
            pooled = _on_grid(pooled, POOL_FRACTION)
        first = sum(len(places) for places in self.places[:stage])
        choices = []
        for number, place in enumerate(self.places[stage], first):
            features = self._activate(self.entries[number](pooled), FEATURE_FRACTION, 0)
            state = self._activate(self._cell(features, state), HIDDEN_FRACTION, -MAX_CODE)
            logits = self.heads[number](state)
            soft = logits.softmax(1)
            picked = logits.argmax(1)
            hard = F.one_hot(picked, len(place.options)).to(soft.dtype)
            choices.append(Choice(place, hard + (soft - soft.detach()), picked, logits))
        return choices, state

    def _cell(self, features: Tensor, state: Tensor) -> Tensor:
        if not self.rounded:
            total: Tensor = self.cell_in(features) + self.cell_state(state)
            return total
        fraction = self.cell_fraction()
        inside = _on_grid(self.cell_in.weight, fraction, -MAX_CODE, MAX_CODE)
        across = _on_grid(self.cell_state.weight, fraction, -MAX_CODE, MAX_CODE)
        bias = _on_grid(self.cell_in.bias, fraction + HIDDEN_FRACTION)
        return F.linear(features, inside, bias) + F.linear(state, across)

    def _activate(self, x: Tensor, fraction: int, low: int) -> Tensor:
        x = _clamp(x, low / 2.0**fraction, MAX_CODE / 2.0**fraction)
        return _on_grid(x, fraction, low, MAX_CODE) if self.rounded else x


@dataclass(frozen=True)
class Outcome:
    """One gated batch.

    Attributes:
        logits: of the classes, float[N,classes].
        choices: of all blocks, in order.
        cost: of each input, as a fraction of the 8-bit super-net's, float[N]; differentiable.
    """

    logits: Tensor
    choices: list[Choice]
    cost: Tensor

    def bits(self) -> Tensor:
        """What each block ran with, int64[N, blocks]."""
        device = self.logits.device
        columns = [torch.tensor(c.place.options, device=device)[c.picked] for c in self.choices]
        return torch.stack(columns, 1)


class GatedNetwork(nn.Module):
    """A network whose gates choose, input by input, the bits of every block.

    Args:
        network: the backbone, shared.
        gates: of that network.
        cost: of the network with the gates.
    """

    def __init__(self, network: Network, gates: Gates, cost: GatedCost) -> None:
        super().__init__()
        self.network = network
        self.gates = gates
        self.cost = cost

    def forward(self, x: Tensor, level: Tensor, alternatives: bool = False) -> Outcome:
        """Classifies float[N,C,H,W] with budgets of these levels, float[N].

        Args:
            alternatives: also run each block in the ways that were not chosen, which is what the gates' gradient
                needs; the result is the same.
        """
        # Gates choose after the stem: no twin of stem or head can follow their choice (`why_no_gates`).
        flags = SkipFlags(False, (), False)
        stream = self.network.enter(self.network.begin(x), flags)
        state = self.gates.start(len(x), x.device)
        spent = torch.full((len(x),), self.cost.fixed / self.cost.full, device=x.device)
        made: list[Choice] = []
        for s in range(len(self.gates.places)):
            choices, state = self.gates(s, stream, level, state)
            made += choices
            skipped, skip_weight = _stage_flag(choices)
            for block, choice in zip(self.network.stage(s), choices, strict=True):
                place = choice.place
                prices = [self.cost.option(s, place.block, bits) for bits in place.options]
                spent = spent + choice.weights @ torch.tensor(prices, device=x.device)
                stream = _run(block, stream, choice, skipped, skip_weight, alternatives)
        return Outcome(self.network.classify(self.network.leave(stream, flags)).float(), made, spent)


def _stage_flag(choices: Sequence[Choice]) -> tuple[Tensor, Tensor | None]:
    """Whether each input skips the stage's whole sub-path, bool[N], and the same as a product of choices, float[N]."""
    skippable = [c for c in choices if c.place.skippable]
    if not skippable or skippable[0].place.options[-1] != 0:
        return torch.zeros_like(choices[0].picked, dtype=torch.bool), None
    weight = torch.stack([c.weights[:, -1] for c in skippable]).prod(0)
    return weight.detach() > 0.5, weight


def _run(
    block: Block, x: Tensor, choice: Choice, skipped: Tensor, skip_weight: Tensor | None, alternatives: bool
) -> Tensor:
    """The block as chosen, and zero times every alternative with the gradient of its weight."""
    options = choice.place.options
    y = _branch(block, x, options, choice.picked, skipped)
    if not alternatives:
        return y
    shape = (-1, 1, 1, 1)
    chosen = y.detach()
    with torch.no_grad():
        other_bits = [
            _branch(block, x, options, (choice.picked + k) % len(options), skipped) for k in range(1, len(options))
        ]
        twins = skip_weight is not None and not choice.place.skippable
        other_flag = _branch(block, x, options, choice.picked, ~skipped) if twins else None
    for k, output in enumerate(other_bits, 1):
        index = ((choice.picked + k) % len(options))[:, None]
        weight = choice.weights.gather(1, index)
        y = y + weight.reshape(shape) * (output - chosen)
    if other_flag is not None and skip_weight is not None:
        weight = torch.where(skipped, 1 - skip_weight, skip_weight)
        y = y + weight.reshape(shape) * (other_flag - chosen)
    return y


def _branch(block: Block, x: Tensor, options: Sequence[int], picked: Tensor, skipped: Tensor) -> Tensor:
    """Each input through the block at its own width and with the norms of its own flag."""
    parts, places = [], []
    for index, bits in enumerate(options):
        for flag in (False, True):
            rows = ((picked == index) & (skipped == flag)).nonzero()[:, 0]
            if len(rows) == 0:
                continue
            part = x[rows]
            # Widths over 8, for accounts that price float32, run the 8-bit block: it is float in training.
            parts.append(block(part, flag, runnable(bits)) if bits else part)
            places.append(rows)
    order = torch.cat(places)
    return torch.cat([part.to(parts[0].dtype) for part in parts])[order.argsort()]
