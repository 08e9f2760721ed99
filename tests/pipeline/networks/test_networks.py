# SPDX-License-Identifier: Apache-2.0
"""Networks are built by the name of their family."""

from __future__ import annotations

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import networks
from dimmer.pipeline.networks import build
from dimmer.pipeline.networks.families.resnet import ResNet
from tests.pipeline.networks.narrow_resnet import CONFIG


def test_a_network_is_built_by_the_name_of_its_family() -> None:
    network = build("resnet", CONFIG)
    assert isinstance(network, ResNet)
    assert network.config is CONFIG


def test_an_unknown_family_is_told_the_known_ones() -> None:
    with pytest.raises(DimmerError, match=r"unknown network family 'vgg'; known are: .*resnet"):
        build("vgg", CONFIG)


def test_what_needs_torch_is_imported_when_it_is_asked_for() -> None:
    from dimmer.pipeline.networks.network import Network

    assert networks.Network is Network
    with pytest.raises(AttributeError, match="has no attribute 'lamp'"):
        _ = networks.lamp
