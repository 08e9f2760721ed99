# SPDX-License-Identifier: Apache-2.0
"""Blocks of transformers: what is beside each other when patches are merged, and which operators need which opset."""

import torch

from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.transformer import Positions, beside
from tests.pipeline.networks.families import road
from tests.pipeline.networks.families.test_swin import PUBLISHED, SMALL


def test_patches_of_two_by_two_become_channels() -> None:
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert beside(x).shape == (1, 4, 2, 2)
    assert sorted(beside(x)[0, :, 0, 1].tolist()) == [2, 3, 6, 7]


def test_what_is_learnt_of_a_position_is_added_there() -> None:
    positions = Positions(2, 1, 3)
    assert torch.equal(positions(torch.zeros(2, 2, 1, 3))[1], positions.values[0])


def test_sites_are_those_of_the_form() -> None:
    for config, opset, own in (
        (SMALL, 17, set()),
        (PUBLISHED, 20, {"wide", "merge_norm", "attention_norm", "mlp_norm"}),
    ):
        net = road.network("swin", config)
        deployed = deploy(net, net.super_mode())
        seen: set[str] = set()

        def tap(site: str, x: torch.Tensor, seen: set[str] = seen) -> torch.Tensor:
            seen.add(site)
            return x

        with torch.no_grad():
            deployed(road.images(config), tap)
        names = {site.removeprefix("1.0.") for site in seen if site.startswith("1.0.")}
        common = {"merged", "query", "key", "value", "scores", "biased", "attention", "mixed", "project", "middle"}
        parts = {name for name in names if "norm_" in name}
        assert names - parts == common | {"hidden", "restore", "out"} | own
        assert deployed.opset == opset
