# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from typing import Any

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


ONE, TWO = ("one.0", "one.1"), ("two.0", "two.1")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"stages": [ONE, TWO], "mandatory": [1]}, "a list of 2 whole numbers"),
        ({"stages": [ONE, TWO], "mandatory": 1}, "must be a list"),
        ({"mandatory": [1.0, 1]}, "a list of 2 whole numbers"),
        ({"mandatory": "11"}, "must be a list"),
        ({"stages": [[]]}, "none of them empty"),
        ({"stages": ["one.0"]}, "lists of names"),
        ({"stages": [ONE], "groups": 2}, "groups or stages, not both"),
        ({"stages": [("one.0", "one.0")]}, "does not run behind"),
        ({"stages": [ONE, ("one.1", "two.1")]}, "does not run behind"),
        ({"stages": [TWO, ONE]}, "does not run behind"),
        ({"stages": [("one.0", "two.1")]}, "several shapes"),
        ({"stages": [("one.0.conv1", "one.0")]}, "does not run behind"),
    ],
)
def test_stages_that_cannot_be_are_told(given: dict[str, Any], says: str) -> None:
    with pytest.raises(DimmerError, match=says):
        dimmer.adapt(small(), images(1), **given)


def test_stages_are_cut_in_half_where_nothing_else_is_said() -> None:
    assert dimmer.adapt(small(), images(1), stages=[ONE]).split.mandatory == (1,)


@pytest.mark.parametrize(
    ("network", "sample", "says"),
    [
        (lambda: None, images(1), "give a torch.nn.Module"),
        (small(), (images(1),), "the sample is a tuple"),
        (small(), None, "the sample is a NoneType"),
        (nn.Sequential(nn.Identity(), nn.ReLU()), images(1), "no identity path"),
    ],
)
def test_what_is_no_network_or_no_sample_is_told(network: Any, sample: Any, says: str) -> None:
    with pytest.raises(DimmerError, match=says):
        dimmer.adapt(network, sample)


def test_what_cannot_be_copied_counted_or_looked_into_is_told() -> None:
    network = small()
    network.lock = threading.Lock()  # type: ignore[assignment]
    with pytest.raises(DimmerError, match="cannot be copied: TypeError"):
        dimmer.adapt(network, images(1))
    with torch.inference_mode():
        inferring = small()
    with pytest.raises(DimmerError, match="made under torch"):
        dimmer.adapt(inferring, images(1))
    network, x = small(), images(1)
    with torch.inference_mode(), pytest.raises(DimmerError, match="no multiply-accumulate"):
        dimmer.adapt(network, x, stages=[ONE])
    with pytest.raises(DimmerError, match="TorchScript"):
        dimmer.adapt(torch.jit.trace(small().eval(), images(1)), images(1))
    adaptive = dimmer.adapt(small(), images(1))
    with pytest.raises(DimmerError, match="no int"):
        adaptive(images(1), 3)


def test_the_mode_of_a_call_is_that_of_this_call_alone() -> None:
    x = images(4)
    adaptive = dimmer.adapt(small(), images(1)).eval()
    with torch.no_grad():
        whole, base = adaptive(x), adaptive(x, adaptive.base_mode())
        assert not torch.equal(whole, base)
        assert torch.equal(adaptive(x), whole)
        adaptive.set_mode(adaptive.base_mode())
        assert torch.equal(adaptive(x, adaptive.super_mode()), whole)
        assert torch.equal(adaptive(x), base)
    adaptive.learn(x, torch.zeros(4, dtype=torch.int64))
    with torch.no_grad():
        assert torch.equal(adaptive(x), base)
        adaptive.set_mode(adaptive.super_mode())
        assert torch.equal(adaptive.to(torch.float64).to(torch.float32)(x), whole)
        with pytest.raises(DimmerError):
            adaptive(x, "88.08")
        assert torch.equal(adaptive(x), whole)
