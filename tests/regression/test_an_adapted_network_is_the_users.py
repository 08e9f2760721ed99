# SPDX-License-Identifier: Apache-2.0
"""What was trained and deployed of a user's network was silently another one: activations and sums that stood as
statements were dropped, factors and classes of one's own were not seen, signs were turned where two places read them.
Now all that `dimmer adapt` takes is compared by values, and what differs is refused.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import nn

from dimmer.errors import DimmerError
from dimmer.pipeline.data.dataset import DatasetShape
from dimmer.pipeline.networks import Network, build
from dimmer.pipeline.networks.adapted import cut, operators, signs
from dimmer.pipeline.networks.adapted.same import sample_of
from dimmer.pipeline.networks.adapted.split import keys_of
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.families import adapted as family
from dimmer.pipeline.networks.family import config_class
from dimmer.pipeline.projects.adapted import Asked, check_runs, found_network
from tests.pipeline.networks.adapted import odd_nets

NETS = Path(odd_nets.__file__)
SHAPE = DatasetShape((16, 16, 3), 3)


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing counts as looked at."""
    monkeypatch.setattr(family, "_CHECKED", set())


def asked(name: str, *more: str) -> Asked:
    return Asked(f"{NETS}:make", (f"name={name}", *more), "3x16x16", None, False, None)


def adapted(name: str) -> tuple[nn.Module, Network]:
    """A network of the user's, and the adaptive one."""
    found = found_network(asked(name), Path(), 3)
    check_runs(asked(name), found, SHAPE)
    shape = {"in_channels": 3, "image_size": (16, 16), "classes": 3}
    own = {"source": asked(name).source, "arguments": asked(name).arguments}
    config = config_class("adapted")(**keys_of(found.split), **shape, **own)
    return found.network, build("adapted", config).eval()


@pytest.mark.parametrize("name", [*odd_nets.KEPT, "statements_between", "no_bias", "pooled"])
@torch.no_grad()
def test_what_is_taken_is_the_same_network_on_the_device_too(name: str) -> None:
    original, network = adapted(name)
    x = sample_of((3, 16, 16))
    exact = original(x.clone())
    assert torch.equal(network(x.clone(), network.super_mode()), exact)
    for mode in network.depth_patterns():
        mine, theirs = network(x.clone(), mode), deploy(network, mode)(x.clone(), lambda _, tensor: tensor)
        # Weights are rounded to their grid.
        assert float((mine - theirs).abs().max()) < 0.03 * float(mine.abs().max())


@pytest.mark.parametrize("name", odd_nets.REFUSED)
def test_what_is_not_known_is_refused(name: str) -> None:
    with pytest.raises(DimmerError, match=odd_nets.REFUSED[name][1]) as caught:
        adapted(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["norm_twice", "shared_weight"])
def test_what_is_used_twice_is_taken_while_no_sign_needs_turning(name: str) -> None:
    found = found_network(asked(name, "signs=False"), Path(), 3)
    check_runs(asked(name, "signs=False"), found, SHAPE)


@pytest.mark.parametrize(
    ("rule", "name", "says"),
    [
        ("why_not_folded", "half_norm", "block 'one.0' of the network would be something else on a device"),
        ("is_drop", "drop_conv", "block 'one.0' of the network would be something else on a device"),
    ],
)
def test_values_tell_what_no_rule_knows(monkeypatch: pytest.MonkeyPatch, rule: str, name: str, says: str) -> None:
    if rule == "is_drop":
        for module in (operators, cut):
            monkeypatch.setattr(module, rule, lambda own: "Drop" in type(own).__name__)
    else:
        monkeypatch.setattr(operators, rule, lambda _: "")
    with pytest.raises(DimmerError, match=says):
        adapted(name)


def test_a_sign_that_changes_the_network_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Once(Counter[int]):
        """Everything seems to be used once."""

        def __getitem__(self, key: int) -> int:
            return 1

    monkeypatch.setattr(signs, "Counter", Once)
    with pytest.raises(DimmerError, match="the network computes something else"):
        adapted("norm_twice")


def test_what_lies_between_two_blocks_of_a_stage_is_no_part_of_one() -> None:
    found = found_network(asked("between"), Path(), 3)
    assert [stage.blocks for stage in found.split.stages] == [("two.0", "two.1")]


@torch.no_grad()
def test_nothing_of_the_users_is_left_changed() -> None:
    from dimmer.pipeline.networks.adapted.adaptive import adapt

    network, x = odd_nets.make("counts").train(), sample_of((3, 16, 16))
    network.get_submodule("norm").eval()
    before, given = {key: value.clone() for key, value in network.state_dict().items()}, x.clone()
    adapt(network, x)
    assert network.training
    assert not network.get_submodule("norm").training
    assert torch.equal(x, given)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_a_network_of_one_input_alone_is_told() -> None:
    with pytest.raises(DimmerError, match="does not run with two inputs at once"):
        adapted("one_by_one")


def test_blocks_that_are_not_looked_at_are_named() -> None:
    with pytest.raises(DimmerError, match=r"not called with a tensor first.*one\.0, one\.1"):
        found_network(asked("by_keyword"), Path(), 3)
