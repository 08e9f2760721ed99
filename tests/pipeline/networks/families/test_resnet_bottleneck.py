# SPDX-License-Identifier: Apache-2.0
"""The adaptive ResNet of bottlenecks: ResNet-50's split, its costs, and the road to firmware."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy, range_group
from dimmer.pipeline.networks.families.resnet_bottleneck import ResNetBottleneck
from dimmer.pipeline.networks.families.resnet_bottleneck_config import ResNetBottleneckConfig
from dimmer.pipeline.networks.layers.norm import SkipAwareNorm
from tests.pipeline.networks.families import road

SMALL = ResNetBottleneckConfig((1, 2), (1, 1), (8, 12), 2, (11, 10), 3, stem=5)
POOLED = replace(SMALL, stem_taps=7, stem_stride=2, pool=True, image_size=(22, 17))

RESNET50 = ResNetBottleneckConfig(
    (2, 2, 3, 2), (1, 2, 3, 1), (256, 512, 1024, 2048), 3, (224, 224), 1000, stem_taps=7, stem_stride=2, pool=True
)

RECIPE = (
    """\
[model]
family = "resnet_bottleneck"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [16, 32]
stem = 8
stem_taps = 5
stem_stride = 2
pool = true
"""
    + road.REST
)


def test_it_costs_holds_and_folds_what_it_says() -> None:
    for config in (SMALL, POOLED):
        net = road.network("resnet_bottleneck", config)
        road.check_costs(net)
        road.check_entries(net)
        road.check_deployed(net)
        road.check_one_blob(net)
        road.check_gradients(net, Mode.parse("80.888"))


def test_resnet_50_costs_what_the_paper_says() -> None:
    cost, full, base = RESNET50.cost(), Mode.parse("888.8888.888888.888"), Mode.parse("880.8800.888000.880")
    assert full.macs(cost) == pytest.approx(4.09e9, rel=0.01)
    assert base.macs(cost) / full.macs(cost) == pytest.approx(0.63, abs=0.01)


def test_norms_of_mandatory_blocks_have_twins_the_shortcut_too() -> None:
    names = {n for n, m in ResNetBottleneck(SMALL).named_modules() if isinstance(m, SkipAwareNorm)}
    inner = {f"stages.{b}.{n}_norm" for b in ("0.0", "1.0", "1.1") for n in ("reduce", "conv", "restore")}
    assert names == inner | {"stages.0.0.shortcut.norm", "stages.1.0.shortcut.norm"}


def test_narrow_blocks_compute_what_the_network_does() -> None:
    net = road.network("resnet_bottleneck", replace(SMALL, bits=(8, 4)))
    deployed = deploy(net, Mode.parse("84.484"))
    assert {site for site in deployed.narrow_tensors() if site.startswith("0.1")} == {
        "0.1.in",
        "0.1.reduce",
        "0.1.conv",
    }
    with torch.no_grad():
        x = road.images(SMALL)
        torch.testing.assert_close(deployed(x), net(x, deployed.mode), atol=0.1, rtol=0.0)


def test_pooling_has_the_range_of_what_it_pools() -> None:
    net = road.network("resnet_bottleneck", POOLED)
    assert range_group(deploy(net, net.super_mode()), "stem/conv") == "stem"


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
@pytest.mark.board("mps3-an547")
def test_every_depth_mode_is_exact_on_host_and_boards(builds: Path) -> None:
    found = road.walk(builds, "road-resnet-bottleneck", RECIPE, "mps2-an386", "mps3-an547")
    assert len(found.modes) == 4
    road.check_exact(found)
