# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from dimmer.pipeline.networks.adapted.signs import positive_gammas
from dimmer.pipeline.networks.families.adapted import AdaptedNetwork
from tests.pipeline.networks.adapted.nets import images, small
from tests.pipeline.networks.families.test_adapted import config


def test_negative_gammas_turn_positive_and_nothing_else_changes() -> None:
    original = small()
    assert any(
        bool((module.weight < 0).any()) for module in original.modules() if isinstance(module, torch.nn.BatchNorm2d)
    )
    network = AdaptedNetwork(config()).eval()
    gammas = [module.weight for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert all(bool((gamma > 0).all()) for gamma in gammas)
    assert positive_gammas(network) == 0
    with torch.no_grad():
        assert torch.equal(network(images(3), network.super_mode()), original(images(3)))
