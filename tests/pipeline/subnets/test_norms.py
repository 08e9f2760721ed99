# SPDX-License-Identifier: Apache-2.0
"""Which modes get norm statistics of their own."""

from dataclasses import replace

import pytest

from dimmer.pipeline.artifacts.calibration import Calibration, Statistics, calibration_folder
from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.subnets.images import calibration_images
from dimmer.pipeline.subnets.norms import choose_norms, own_statistics, trained_prefix
from tests.tiny import TinyBuild, silent


@pytest.mark.xdist_group("tiny")
def test_recalibration_is_kept_only_where_it_gains(tiny: TinyBuild) -> None:
    folder = calibration_folder(tiny.build)
    statistics = Statistics.load(folder)
    for mode in Calibration.load(folder).modes:
        assert bool(statistics.of(mode.name)) == mode.recalibrated
        if mode.recalibrated:
            assert mode.accuracy_float > mode.accuracy_as_trained
        if mode.name in ("88.88", "80.80"):
            assert not mode.recalibrated


@pytest.mark.xdist_group("tiny")
def test_without_recalibration_every_mode_is_as_it_was_trained(tiny: TinyBuild) -> None:
    recipe, network = tiny.recipe, load_network(tiny.recipe)
    images = calibration_images(load_dataset("mnist5k"), recipe.calibration, recipe.selection, recipe.train.seed)
    images = replace(images, validation=images.validation[:50], labels=images.labels[:50])
    modes = [Mode.parse(name) for name in ("88.88", "80.88")]
    for subnet, mode in zip(choose_norms(network, modes, False, images, silent), modes, strict=True):
        assert (subnet.name, subnet.mode) == (str(mode), mode)
        assert not subnet.statistics
        assert subnet.measured is subnet.as_trained
    # What a mode of mixed depth would get: everything behind the first block, which trained modes share.
    measured = own_statistics(network, modes[1], images.norms)
    assert measured
    assert not {name for name in measured if name.startswith(("stem.", "stages.0.0."))}


@pytest.mark.parametrize(
    ("mode", "blocks"),
    [
        ("88.88", {"0.0", "0.1", "1.0", "1.1"}),
        ("80.88", {"0.0"}),
        ("44.80", {"0.0", "0.1"}),
        ("84.44", {"0.0"}),
        ("48.88", {"0.0"}),
    ],
)
def test_a_mode_shares_the_norms_of_blocks_with_which_a_trained_mode_begins(mode: str, blocks: set[str]) -> None:
    network = ResNet(ResNetConfig((1, 1), (1, 1), (4, 8), 1, (8, 8), 10, (8, 4, 2)))
    names = trained_prefix(network, Mode.parse(mode))
    assert "stem.norm" in names
    assert {name.split("stages.")[1] for name in names if name.endswith("norm1")} == {f"{b}.norm1" for b in blocks}
