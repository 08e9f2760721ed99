# SPDX-License-Identifier: Apache-2.0
"""The static modes that gates start from."""

from __future__ import annotations

import itertools

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


def test_a_budget_gets_the_nearest_mode_that_it_pays_for() -> None:
    front = (
        StaticMode(Mode.parse("88.88"), 1.0, 0.0),
        StaticMode(Mode.parse("84.44"), 0.4, 0.1),
        StaticMode(Mode.parse("20.20"), 0.1, 0.9),
    )
    names = [str(best_within(front, budget).mode) for budget in (2.0, 0.99, 0.4, 0.39, 0.01)]
    assert names == ["88.88", "84.44", "84.44", "20.20", "20.20"]
