# SPDX-License-Identifier: Apache-2.0
"""Trained gates: their gradient is the straight-through one, a gated run is a run of its modes."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.gates.budget import GateConfig, gated_cost
from dimmer.pipeline.networks.gates.network import Choice, GatedNetwork, Gates, weight_fraction

CONFIG = ResNetConfig((1, 2), (1, 1), (4, 6), 1, (8, 8), 3, (8, 4, 2))
SHAPE = GateConfig(features=3, hidden=5)


@pytest.fixture
def gated() -> GatedNetwork:
    torch.manual_seed(1)
    network = ResNet(CONFIG).eval()
    for i, module in enumerate(m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        assert module.running_mean is not None
        module.running_mean.fill_(0.02 * i)
    gates = Gates(CONFIG, SHAPE)
    for head in gates.heads:
        torch.nn.init.normal_(head.weight, 0, 3.0)  # type: ignore[arg-type]
    return GatedNetwork(network, gates, gated_cost(CONFIG, network.cost(), SHAPE))


def test_a_gated_run_equals_the_static_modes_that_it_chose(gated: GatedNetwork) -> None:
    x, budget = torch.randn(40, 1, 8, 8), 255 * torch.rand(40).round(decimals=1)
    with torch.no_grad():
        outcome = gated(x, budget)
        chosen = set()
        for i, bits in enumerate(outcome.bits().tolist()):
            mode = Mode((tuple(bits[:2]), tuple(bits[2:])))
            chosen.add(str(mode))
            static = gated.network(x[i : i + 1], mode)
            torch.testing.assert_close(outcome.logits[i : i + 1], static, rtol=1e-4, atol=1e-4)
            assert float(outcome.cost[i]) == pytest.approx(gated.cost.relative(mode), rel=1e-5)
    assert len(chosen) > 3


def test_alternatives_change_the_gradient_only(gated: GatedNetwork) -> None:
    x, budget = torch.randn(8, 1, 8, 8), 255 * torch.rand(8)
    plain, full = gated(x, budget), gated(x, budget, alternatives=True)
    torch.testing.assert_close(plain.logits, full.logits)
    assert torch.equal(plain.bits(), full.bits())


def test_the_gradient_is_that_of_the_sum_over_all_ways_to_run_a_stage(gated: GatedNetwork) -> None:
    """Straight through: d loss / d weight of an option is what the loss would gain from that option's output."""
    x, budget = torch.randn(6, 1, 8, 8), 255 * torch.rand(6)
    outcome = gated(x, budget, alternatives=True)
    target = torch.randn_like(outcome.logits)
    # The last stage: nothing behind it depends on its choices but the head.
    mandatory, second, last = outcome.choices[2:]
    got = torch.autograd.grad((outcome.logits * target).sum(), [c.logits for c in (mandatory, second, last)])

    network = gated.network
    with torch.no_grad():
        stream = _stream_before_last_stage(gated, x, outcome.choices)
    weights = [c.logits.detach().requires_grad_() for c in (mandatory, second, last)]
    soft = [w.softmax(1) for w in weights]
    hard = [torch.nn.functional.one_hot(w.argmax(1), w.shape[1]).float() for w in weights]
    g = [h + (s - s.detach()) for h, s in zip(hard, soft, strict=True)]
    flag = [1 - g[2][:, 3], g[2][:, 3]]
    for number, block in enumerate(network.stage(1)):
        options = outcome.choices[2 + number].place.options
        total = torch.zeros(())
        for index, bits in enumerate(options):
            for skipped in (False, True):
                share = g[number][:, index] * (flag[skipped] if number < 2 else float(not skipped))
                # Straight through the choice, not through blocks that do not run.
                ran = block(stream, skipped, bits) if bits else stream
                live = (share.detach() > 0.5).float().reshape(-1, 1, 1, 1)
                ran = live * ran + (1 - live) * ran.detach()
                total = total + share.reshape(-1, 1, 1, 1) * ran
        stream = total
    logits = network.classify(stream)
    expected = torch.autograd.grad((logits * target).sum(), weights)
    for ours, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def _stream_before_last_stage(gated: GatedNetwork, x: torch.Tensor, choices: list[Choice]) -> torch.Tensor:
    rows = []
    for i in range(len(x)):
        stream = gated.network.stem(x[i : i + 1])
        bits = [c.place.options[int(c.picked[i])] for c in choices[:2]]
        for block, b in zip(gated.network.stage(0), bits, strict=True):
            stream = block(stream, bits[1] == 0, b) if b else stream
        rows.append(stream)
    return torch.cat(rows)


def test_weights_use_their_eight_bits() -> None:
    for largest in (0.003, 0.4, 1.0, 5.0):
        fraction = weight_fraction(torch.tensor([largest, -largest / 2]))
        assert 63 < round(largest * 2.0**fraction) <= 127 or fraction == 12


def test_equal_seeds_give_equal_choices(gated: GatedNetwork) -> None:
    x, budget = torch.randn(30, 1, 8, 8), 255 * torch.rand(30)
    with torch.no_grad():
        assert torch.equal(gated(x, budget).bits(), gated(x, budget).bits())


def test_wide_options_run_the_eight_bit_block(gated: GatedNetwork) -> None:
    shape = dataclasses.replace(SHAPE, options=(32, 16, 8, 0))
    network = GatedNetwork(gated.network, Gates(CONFIG, shape), gated_cost(CONFIG, gated.network.cost(), shape, 32))
    with torch.no_grad():
        outcome = network(torch.randn(5, 1, 8, 8), torch.full((5,), 0.5))
    assert outcome.logits.shape == (5, 3)
