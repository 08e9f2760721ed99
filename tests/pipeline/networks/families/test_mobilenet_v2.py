# SPDX-License-Identifier: Apache-2.0
"""The adaptive MobileNetV2: its blocks, which norms have twins, and the road to firmware."""

from pathlib import Path

import pytest
import torch

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.families.mobilenet_v2 import MobileNetV2
from dimmer.pipeline.networks.families.mobilenet_v2_config import MobileNetV2Config
from dimmer.pipeline.networks.layers.norm import SkipAwareNorm
from dimmer.pipeline.subnets.norms import is_mixed, trained_prefix
from tests.pipeline.networks.families import road

SMALL = MobileNetV2Config(
    (1, 1, 2, 1), (0, 1, 1, 0), (4, 6, 6, 8), (1, 2, 1, 2), (1, 3, 2, 2), 2, (9, 10), 3, stem=6, head=10
)

RECIPE = (
    """\
[model]
family = "mobilenet_v2"
dataset = "mnist5k"
mandatory = [1, 1, 2, 1]
skippable = [0, 1, 1, 0]
widths = [8, 8, 12, 16]
strides = [1, 2, 2, 1]
expansion = [1, 4, 4, 4]
stem = 8
head = 32
stem_stride = 2
"""
    + road.REST
)


def small(config: MobileNetV2Config = SMALL) -> MobileNetV2:
    made = road.network("mobilenet_v2", config)
    assert isinstance(made, MobileNetV2)
    return made


def test_it_costs_holds_and_folds_what_it_says() -> None:
    net = small()
    road.check_costs(net)
    road.check_entries(net)
    road.check_deployed(net)
    road.check_one_blob(net)
    road.check_gradients(net, Mode.parse("8.80.888.8"), Mode.parse("8.88.880.8"))


def test_norms_outside_of_the_stages_that_skip_have_twins_too() -> None:
    def plain(net: MobileNetV2) -> set[str]:
        names = {name for name, module in net.named_modules() if isinstance(module, torch.nn.BatchNorm2d)}
        return {name for name in names if not name.endswith((".executed", ".skipped"))}

    skippable = {
        f"stages.{block}.{norm}_norm" for block in ("1.1", "2.2") for norm in ("expand", "depthwise", "project")
    }
    assert plain(small()) == skippable
    inner = MobileNetV2Config(**{**vars(SMALL), "outer_twins": False})
    outside = {f"stages.{stage}.0.{norm}_norm" for stage in (0, 3) for norm in ("depthwise", "project")}
    outside |= {"stages.3.0.expand_norm", "stem_norm", "last_norm"}
    assert plain(small(inner)) == skippable | outside
    alone = MobileNetV2(SMALL.alone("base"))
    assert not any(isinstance(module, SkipAwareNorm) for module in alone.modules())


@pytest.mark.parametrize(
    ("mode", "flags"),
    [
        ("8.88.888.8", (False, (False, False, False, False), False)),
        ("8.80.888.8", (True, (True, True, False, False), False)),
        ("8.88.880.8", (False, (False, False, True, True), True)),
    ],
)
def test_outer_norms_follow_the_nearest_sub_path(mode: str, flags: tuple[bool, tuple[bool, ...], bool]) -> None:
    assert SMALL.skip_flags(Mode.parse(mode)) == flags


def test_a_mixed_mode_begins_with_the_stem_of_a_trained_one() -> None:
    net = small()
    assert not is_mixed(net.base_mode(), SMALL)
    mixed = Mode.parse("8.80.888.8")
    assert is_mixed(mixed, SMALL)
    kept = trained_prefix(net, mixed)
    assert {"stem_norm.skipped", "stages.0.0.depthwise_norm.skipped", "stages.1.0.project_norm.skipped"} <= kept
    assert not any(name.startswith(("stages.2", "last")) for name in kept)


def test_only_the_projection_is_narrow() -> None:
    config = MobileNetV2Config(**{**vars(SMALL), "bits": (8, 4)})
    net = small(config)
    deployed = deploy(net, Mode.parse("8.84.444.4"))
    assert {site.rpartition(".")[2] for site in deployed.narrow_weights()} == {"project", "out"}
    assert {site.rpartition(".")[2] for site in deployed.narrow_tensors()} == {"depthwise"}
    cost = config.cost()
    wide = Mode.parse("8.88.888.8").bit_operations(cost) - Mode.parse("8.84.888.8").bit_operations(cost)
    assert wide == (cost.blocks[1][1] - cost.wide[1][1]) * (64 - 16)
    with torch.no_grad():
        x = road.images(config)
        assert float((deployed(x) - net(x, deployed.mode)).abs().max()) < 0.05


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
@pytest.mark.board("mps3-an547")
def test_every_depth_mode_is_exact_on_host_and_boards(builds: Path) -> None:
    found = road.walk(builds, "road-mobilenet-v2", RECIPE, "mps2-an386", "mps3-an547")
    assert len(found.modes) == 4
    road.check_exact(found)
