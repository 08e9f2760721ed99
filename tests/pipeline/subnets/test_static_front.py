# SPDX-License-Identifier: Apache-2.0
"""The static modes that gates start from."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.gates.budget import GateConfig, gate_places, gated_cost
from dimmer.pipeline.subnets.static_front import StaticMode, best_within, static_front

CONFIG = ResNetConfig((1, 1), (1, 1), (4, 6), 1, (8, 8), 3, (8, 4, 2))


@pytest.mark.parametrize("options", [(8, 4, 2, 0), (8, 0), (8, 2)])
def test_the_front_goes_from_the_super_net_down_and_no_mode_in_it_is_pointless(options: tuple[int, ...]) -> None:
    torch.manual_seed(2)
    network, shape = ResNet(CONFIG), GateConfig(options)
    cost = gated_cost(CONFIG, network.cost(), shape)
    shares: list[float] = []
    front = static_front(
        network, cost, gate_places(CONFIG, shape), torch.randn(20, 1, 8, 8), 2.0, lambda share: shares.append(share)
    )
    assert str(front[0].mode) == "88.88"
    assert front[0].loss == pytest.approx(0, abs=1e-6)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    for dear, cheap in itertools.pairwise(front):
        assert dear.cost > cheap.cost
        assert dear.loss < cheap.loss
    used = {bits for found in front for stage in found.mode.blocks for bits in stage}
    assert used <= set(options)


def test_pairs_are_steps_of_the_front() -> None:
    torch.manual_seed(2)
    config = replace(CONFIG, bits=(8, 48, 28, 4, 24, 2))
    network, shape = ResNet(config), GateConfig((8, 48, 28, 4, 24, 2, 0))
    cost = gated_cost(config, network.cost(), shape)
    front = static_front(network, cost, gate_places(config, shape), torch.randn(20, 1, 8, 8), 2.0)
    used = {bits for found in front for stage in found.mode.blocks for bits in stage}
    assert {48, 24} & used, "a step of half the cost comes before one of a quarter"
    for dear, cheap in itertools.pairwise(front):
        assert dear.cost > cheap.cost
        assert dear.loss < cheap.loss


def test_a_budget_gets_the_nearest_mode_that_it_pays_for() -> None:
    front = (
        StaticMode(Mode.parse("88.88"), 1.0, 0.0),
        StaticMode(Mode.parse("84.44"), 0.4, 0.1),
        StaticMode(Mode.parse("20.20"), 0.1, 0.9),
    )
    names = [str(best_within(front, budget).mode) for budget in (2.0, 0.99, 0.4, 0.39, 0.01)]
    assert names == ["88.88", "84.44", "84.44", "20.20", "20.20"]


def test_statistics_of_its_own_bring_a_mixed_mode_nearer_or_are_not_taken() -> None:
    torch.manual_seed(2)
    network, shape = ResNet(CONFIG).eval(), GateConfig((8, 4, 2, 0))
    cost, places, x = gated_cost(CONFIG, network.cost(), shape), gate_places(CONFIG, shape), torch.rand(40, 1, 8, 8)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    plain = static_front(network, cost, places, x, 2.0)
    own = static_front(network, cost, places, x, 2.0, norms=x)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert own[0] == plain[0], "the super-net is not mixed"
    nearest = {found.mode: found.loss for found in plain}
    common = [found for found in own if found.mode in nearest]
    assert all(found.loss <= nearest[found.mode] for found in common)
    assert [found.mode for found in own] != [found.mode for found in plain]
