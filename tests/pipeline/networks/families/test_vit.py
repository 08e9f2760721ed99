# SPDX-License-Identifier: Apache-2.0
"""The adaptive vision transformer in both forms: its blocks, its norms, and the road to firmware."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy, fixed_ranges
from dimmer.pipeline.networks.families.vit import ViT
from dimmer.pipeline.networks.families.vit_config import ViTConfig
from dimmer.pipeline.networks.layers.channel_norm import SkipAwareChannelNorm
from dimmer.pipeline.networks.layers.norm import SkipAwareNorm
from tests.pipeline.networks.families import road

SMALL = ViTConfig((1, 2), (1, 1), (8, 8), 2, 2, (8, 12), 3)
PUBLISHED = replace(SMALL, norms="before")

RECIPE = (
    """\
[model]
family = "vit"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [16, 16]
heads = 2
patch = 7
"""
    + road.REST
)
RECIPE_BEFORE = RECIPE.replace("patch = 7", 'patch = 7\nnorms = "before"')


@pytest.mark.parametrize("config", [SMALL, PUBLISHED], ids=["behind", "before"])
def test_it_costs_holds_and_folds_what_it_says(config: ViTConfig) -> None:
    net = road.network("vit", config)
    road.check_costs(net)
    road.check_entries(net)
    road.check_deployed(net)
    road.check_one_blob(net)
    road.check_gradients(net, Mode.parse("80.888"))


def test_norms_of_mandatory_blocks_have_twins_and_no_others() -> None:
    layers = [f"attention.{p}.norm" for p in ("query", "key", "value", "project")] + ["expand.norm", "restore.norm"]
    behind = {name for name, module in ViT(SMALL).named_modules() if isinstance(module, SkipAwareNorm)}
    assert behind == {f"stages.{block}.{layer}" for block in ("0.0", "1.0", "1.1") for layer in layers}
    before = {name for name, module in ViT(PUBLISHED).named_modules() if isinstance(module, SkipAwareChannelNorm)}
    assert before == {f"stages.{b}.{n}_norm" for b in ("0.0", "1.0", "1.1") for n in ("attention", "mlp")}


def test_vit_b_costs_what_the_paper_says() -> None:
    config = ViTConfig((2,) * 4, (1,) * 4, (768,) * 4, 12, 3, (224, 224), 1000, 16, 4, "before")
    cost, full, base = config.cost(), Mode.parse("888.888.888.888"), Mode.parse("880.880.880.880")
    assert full.macs(cost) == pytest.approx(17.5e9, rel=0.01)
    assert base.macs(cost) / full.macs(cost) == pytest.approx(0.67, abs=0.01)


def test_the_softmax_has_its_own_range() -> None:
    found = fixed_ranges(deploy(road.network("vit", SMALL), Mode.parse("80.880")))
    assert found == dict.fromkeys(("0.0.attention", "1.0.attention", "1.1.attention"), (0.0, 255 / 256))


def test_only_the_second_layer_of_the_mlp_is_narrow() -> None:
    config = replace(SMALL, bits=(8, 4))
    net = road.network("vit", config)
    deployed = deploy(net, Mode.parse("84.480"))
    assert set(deployed.narrow_weights()) == {"0.1.restore", "1.0.restore"}
    assert config.cost().blocks[0][0] - config.cost().wide[0][0] == 6 * 8 * 16
    with torch.no_grad():
        x = road.images(config)
        torch.testing.assert_close(deployed(x), net(x, deployed.mode), atol=0.01, rtol=0.0)


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
@pytest.mark.board("mps3-an547")
@pytest.mark.parametrize("text", [RECIPE, RECIPE_BEFORE], ids=["behind", "before"])
def test_every_depth_mode_is_exact_on_host_and_boards(builds: Path, text: str, request: pytest.FixtureRequest) -> None:
    name = f"road-vit-{request.node.callspec.id}"
    found = road.walk(builds, name, text, "mps2-an386", "mps3-an547")
    assert len(found.modes) == 4
    road.check_exact(found)
