# SPDX-License-Identifier: Apache-2.0
"""The adaptive ResNet for series: its shape, its costs, and the road to firmware."""

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.families.resnet1d_config import ResNet1dConfig
from tests.own_data import write_steps
from tests.pipeline.networks.families import road

SMALL = ResNet1dConfig((1, 2), (1, 1), (4, 6), 3, (1, 50), 3)

RECIPE = (
    """\
[model]
family = "resnet1d"
dataset = "own"
mandatory = [1, 1]
skippable = [1, 1]
widths = [8, 12]
taps = 5
stem_taps = 7
stem_stride = 1
strides = [1, 3]

[data]
kind = "windows"
path = "imu.csv"
classes = ["rest", "walk"]
window = 16
channels = ["ax", "ay", "az"]
label = "activity"
group = "subject"
"""
    + road.REST
)


def test_it_costs_holds_and_folds_what_it_says() -> None:
    for config in (SMALL, replace(SMALL, taps=3, stem_taps=1, stem_stride=1, strides=(2, 3))):
        net = road.network("resnet1d", config)
        road.check_costs(net)
        road.check_entries(net)
        road.check_deployed(net)
        road.check_one_blob(net)
        road.check_gradients(net, Mode.parse("80.888"))


def test_images_are_for_the_other_family() -> None:
    with pytest.raises(DimmerError, match="must have series, which are images of height 1"):
        replace(SMALL, image_size=(8, 8))


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
@pytest.mark.board("mps3-an547")
def test_every_depth_mode_is_exact_on_host_and_boards(builds: Path) -> None:
    write_steps(builds.parent / "models" / "road-resnet1d" / "imu.csv", subjects=20, each=32)
    atomic_write(builds.parent / "models" / "road-resnet1d" / "recipe.toml", RECIPE)
    found = road.walk(builds, "road-resnet1d", RECIPE, "mps2-an386", "mps3-an547")
    assert len(found.modes) == 4
    road.check_exact(found)
