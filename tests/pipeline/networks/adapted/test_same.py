# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from dimmer.errors import DimmerError
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.adapted.same import check_same, sample_of
from dimmer.pipeline.networks.families.adapted import AdaptedNetwork
from tests.pipeline.networks.adapted.nets import small
from tests.pipeline.networks.families.test_adapted import config

SKIPPED = ("one.1", "two.1")


def of(network: nn.Module) -> Network:
    return AdaptedNetwork(config(), network)


def check(network: nn.Module, make: object = of, skipped: tuple[str, ...] = SKIPPED) -> None:
    check_same(network, make, skipped, sample_of((3, 16, 16)), lambda name: f"the user's {name}")  # type: ignore[arg-type]


def test_the_same_network_passes() -> None:
    check(small())


def test_another_super_net_is_found() -> None:
    with pytest.raises(DimmerError, match="cut at its blocks the network computes something else"):
        check(small(), lambda _: of(small()))


def test_another_base_net_is_found() -> None:
    with pytest.raises(DimmerError, match="between two blocks of a stage"):
        check(small(), skipped=("one.1",))


def test_what_is_deployed_as_something_else_is_found_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(network: nn.Module) -> Network:
        made = of(network)
        block = made.stage(1)[1]
        exact = block.deployed

        def other(fold: object) -> nn.Module:
            deployed = exact(fold)  # type: ignore[arg-type]
            for module in deployed.modules():
                if isinstance(module, nn.Conv2d):
                    module.weight.mul_(1.01)
            return deployed

        monkeypatch.setattr(block, "deployed", other)
        return made

    with pytest.raises(DimmerError, match=r"block 'the user's 1\.1' of the network would be something else"):
        check(small(), make)


def test_values_that_are_not_finite_are_said() -> None:
    network = small()
    assert isinstance(network.classifier, nn.Linear)
    torch.nn.init.constant_(network.classifier.bias, math.nan)
    with pytest.raises(DimmerError, match="not finite"):
        check(network)
