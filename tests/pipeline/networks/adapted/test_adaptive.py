# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

import dimmer
from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.twins import TwinNorm
from tests.pipeline.networks.adapted.nets import images, single, small


def test_the_super_net_is_the_network_bit_for_bit() -> None:
    network = small()
    adaptive = dimmer.adapt(network, images(1))
    x = images(4)
    with torch.no_grad():
        assert torch.equal(adaptive(x), network(x))
        network.train()
        adaptive.train()
        network.drop.p = adaptive.network.drop.p = 0.0  # type: ignore[union-attr]
        assert torch.equal(adaptive(x, "88.88"), network(x))
    assert not any(isinstance(module, TwinNorm) for module in network.modules())


def test_a_mode_leaves_out_what_it_skips() -> None:
    network = small()
    adaptive = dimmer.adapt(network, images(1))
    x = images(2)
    with torch.no_grad():
        network.one[1] = nn.Identity()
        assert torch.equal(adaptive(x, "80.88"), network(x))
        network.two[1] = nn.Identity()
        assert torch.equal(adaptive(x, "80.80"), network(x))
    with pytest.raises(DimmerError):
        adaptive(x, "88.08")


def test_norms_of_mandatory_blocks_learn_apart() -> None:
    adaptive = dimmer.adapt(small(), images(1)).train()
    optimiser = torch.optim.SGD(adaptive.parameters(), lr=0.1)
    labels = torch.tensor([0, 1, 2, 0])
    first = float(adaptive.learn(images(4), labels))
    optimiser.step()
    for _ in range(20):
        optimiser.zero_grad()
        last = float(adaptive.learn(images(4), labels))
        optimiser.step()
    assert last < first
    twin = adaptive.network.get_submodule("one.0.norm1")
    assert isinstance(twin, TwinNorm)
    assert not torch.equal(twin.executed.weight, twin.skipped.weight)


def test_norms_outside_of_blocks_follow_the_sub_path_beside_them() -> None:
    adaptive = dimmer.adapt(small(), images(1))
    between = adaptive.network.get_submodule("between.1")
    assert isinstance(between, TwinNorm)
    assert not isinstance(adaptive.network.get_submodule("norm"), TwinNorm)
    for mode, skipping in (("80.88", False), ("88.80", True)):
        adaptive.set_mode(mode)
        assert between.skipping is skipping
    outer = dimmer.adapt(single().eval(), images(1))
    outer.set_mode("80")
    assert all(module.skipping for module in outer.modules() if isinstance(module, TwinNorm))
    assert isinstance(outer.network.get_submodule("8"), TwinNorm)


def test_stages_can_be_asked_for() -> None:
    adaptive = dimmer.adapt(small(), images(1), stages=[("two.0", "two.1")], mandatory=[1])
    assert [str(mode) for mode in adaptive.modes()] == ["88", "80"]
    with pytest.raises(DimmerError, match="stage 0 has 2 blocks; mandatory must be 1 to 1"):
        dimmer.adapt(small(), images(1), mandatory=[2, 1])
