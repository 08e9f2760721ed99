# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.twins import TwinNorm
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.families.adapted import AdaptedNetwork
from dimmer.pipeline.networks.families.adapted_config import AdaptedConfig
from tests.pipeline.networks.adapted.nets import images, small
from tests.pipeline.networks.families import road

NETS = Path(__file__).parents[1] / "adapted"


def config() -> AdaptedConfig:
    """Of `small`."""
    return AdaptedConfig(
        mandatory=(1, 1),
        skippable=(1, 1),
        widths=(4, 8),
        in_channels=3,
        image_size=(16, 16),
        classes=3,
        source="nets.py:small",
        blocks=("one.0", "one.1", "two.0", "two.1"),
        macs=(4608, 4608, 4224, 4608),
        fixed_macs=7320,
        entry_channels=(4, 6),
        entry_pixels=(16, 16),
        folder=str(NETS),
    )


def test_every_mode_is_the_network_without_what_it_skips() -> None:
    network, x = AdaptedNetwork(config()).eval(), images(3)
    with torch.no_grad():
        for mode in network.depth_patterns():
            original = small()
            for stage, blocks in zip(mode.blocks, (original.one, original.two), strict=True):
                if not stage[1]:
                    blocks[1] = nn.Identity()
            assert torch.equal(network(x, mode), original(x))


def test_norms_between_stages_have_twins_and_those_of_stem_and_head_none() -> None:
    names = {name for name, _ in AdaptedNetwork(config()).named_parameters() if "skipped" in name}
    assert {name.split(".norm")[0].split(".between")[0] for name in names} == {
        "stages.0.0.body",
        "stages.1.0.body",
        "stages.1.0.lead",
    }


def outer() -> AdaptedConfig:
    """Of `single`, whose norms outside of the stage have twins."""
    return AdaptedConfig(
        mandatory=(1,),
        skippable=(1,),
        widths=(8,),
        in_channels=3,
        image_size=(16, 16),
        classes=3,
        source="nets.py:single",
        blocks=("4", "5"),
        macs=(67584, 73728),
        fixed_macs=96399,
        entry_channels=(6,),
        entry_pixels=(64,),
        outer_twins=True,
        folder=str(NETS),
    )


def test_norms_of_stem_and_head_have_twins_where_the_recipe_says_so() -> None:
    net = road.network("adapted", outer())
    road.check_deployed(net)
    road.check_one_blob(net)
    road.check_gradients(net)
    (stem,) = net.beginning()
    for part in (stem, net.get_submodule("head")):
        assert any(isinstance(module, TwinNorm) for module in part.modules())
    assert net.config.skip_flags(net.base_mode()) == (True, (True,), True)
    assert "set model.outer_twins = false" in net.config.why_no_gates()
    alone = AdaptedNetwork(outer().alone("base"))
    assert not any(isinstance(module, TwinNorm) for module in alone.modules())


def test_what_is_deployed_is_what_was_trained_on_one_grid() -> None:
    network, x = AdaptedNetwork(config()).eval(), images(2)
    with torch.no_grad():
        # Twins that have learned something else, which folding must keep out of the weights.
        for name, tensor in network.named_parameters():
            if "skipped.weight" in name:
                tensor.mul_(1.5)
        codes = []
        for mode in (network.super_mode(), network.base_mode()):
            deployed = deploy(network, mode)
            seen: dict[str, torch.Tensor] = {}
            logits = deployed(x, lambda site, y: seen.setdefault(site, y))  # noqa: B023
            expected = network(x, mode)
            assert float((logits - expected).abs().max()) < 0.05 * float(expected.abs().max())
            assert {"input", "stem", "0.0.out", "1.0.out", "logits"} <= set(seen)
            assert ("0.1.out" in seen) == (mode == network.super_mode())
            conv = next(module for module in deployed.blocks[0].modules() if isinstance(module, nn.Conv2d))
            step = conv.weight.abs().amax((1, 2, 3), keepdim=True) / 127
            codes.append(torch.round(conv.weight / step))
        assert torch.equal(codes[0], codes[1])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fixed_macs": 1}, "multiply-accumulates"),
        ({"classes": 4}, "the data set has 4 classes"),
        ({"blocks": ("one.0", "one.1", "two.0", "three")}, "no module 'three'"),
    ],
)
def test_a_recipe_that_does_not_fit_the_network_is_told(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(DimmerError, match=reason):
        AdaptedNetwork(dataclasses.replace(config(), **changes))  # type: ignore[arg-type]


def test_trained_alone_the_base_net_lacks_its_skippable_blocks() -> None:
    network = AdaptedNetwork(config().alone("base")).eval()
    adaptive = AdaptedNetwork(config()).eval()
    with torch.no_grad():
        assert torch.equal(network(images(), network.super_mode()), adaptive(images(), adaptive.base_mode()))
    assert not any("skipped" in name for name, _ in network.named_parameters())


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("widths", (4, 9), r"model\.widths is \[4, 9\], and of nets\.py:small it is \[4, 8\]"),
        ("entry_channels", (4, 7), r"model\.entry_channels is"),
        ("entry_pixels", (16, 8), r"model\.entry_pixels is"),
        ("macs", (4607, 4609, 4224, 4608), r"model\.macs is"),
        ("blocks", ("one.0", "one.1", "two.0", "classifier"), r"'classifier' cannot be skipped.*mend model\.blocks"),
    ],
)
def test_what_the_recipe_says_is_compared_with_the_network(key: str, value: tuple[object, ...], says: str) -> None:
    wrong = dataclasses.replace(config(), **{key: value})  # type: ignore[arg-type]
    if key == "blocks":
        wrong = dataclasses.replace(wrong, macs=(4608, 4608, 4224, 24), fixed_macs=7320 + 4608 - 24)
    with pytest.raises(DimmerError, match=says):
        AdaptedNetwork(wrong)
