# SPDX-License-Identifier: Apache-2.0
"""Which modes get norm statistics of their own."""

from dataclasses import replace

import pytest
import torch

from dimmer.calibration.batchnorm import statistics
from dimmer.pipeline.artifacts.calibration import Calibration, Statistics, calibration_folder
from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.measure import measure
from dimmer.pipeline.recipe.sections.publishing import CalibrationSection
from dimmer.pipeline.subnets.images import CalibrationImages, calibration_images
from dimmer.pipeline.subnets.norms import choose_norms, is_mixed, own_statistics, preferred, trained_prefix
from tests.pipeline.training.small import stripes
from tests.tiny import TinyBuild, silent

AS_TRAINED = CalibrationSection(recalibrate_bn=False)


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
    for subnet, mode in zip(choose_norms(network, modes, AS_TRAINED, images, silent), modes, strict=True):
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


@pytest.mark.parametrize(
    ("mode", "mixed"),
    [("88.88", False), ("44.44", False), ("20.20", False), ("80.88", True), ("44.42", True), ("40.20", True)],
)
def test_a_mode_of_several_depths_or_widths_is_mixed(mode: str, mixed: bool) -> None:
    config = ResNetConfig((1, 1), (1, 1), (4, 8), 1, (8, 8), 10, (8, 4, 2))
    assert is_mixed(Mode.parse(mode), config) == mixed


@pytest.mark.parametrize(
    ("mode", "mixed"),
    [("8888.8888", False), ("8000.8000", False), ("8800.8800", True), ("8880.8880", True), ("4000.4400", True)],
)
def test_a_mode_that_skips_a_part_of_a_sub_path_is_mixed(mode: str, mixed: bool) -> None:
    config = ResNetConfig((1, 1), (3, 3), (4, 8), 1, (8, 8), 10, (8, 4, 2))
    assert is_mixed(Mode.parse(mode), config) == mixed


def test_mixed_widths_get_statistics_of_their_own_where_validation_gains() -> None:
    """Norms whose statistics are of nothing that a mode of mixed widths sees behind its first block."""
    torch.manual_seed(1)
    network = ResNet(ResNetConfig((1, 1), (1, 1), (4, 8), 1, (8, 8), 3, (8, 4, 2))).eval()
    data = stripes()
    norms = to_input(data.train.images[:256])
    empty: tuple[torch.Tensor, ...] = ()
    images = CalibrationImages(empty, empty, norms, norms, to_input(data.val.images), torch.from_numpy(data.val.labels))
    mode = Mode.parse("44.22")
    own = deploy(network, mode, own_statistics(network, mode, norms))
    best = measure(own, images.validation, images.labels).accuracy
    (kept,) = choose_norms(network, [mode], AS_TRAINED, images, silent)
    (found,) = choose_norms(network, [mode], CalibrationSection(), images, silent)
    assert not kept.statistics
    assert found.as_trained.accuracy == kept.measured.accuracy
    assert bool(found.statistics) == (best > kept.measured.accuracy)
    assert found.measured.accuracy == max(best, kept.measured.accuracy)
    (uniform,) = choose_norms(network, [Mode.parse("22.22")], CalibrationSection(), images, silent)
    assert not uniform.statistics


def test_statistics_are_those_that_validation_prefers_and_go_again() -> None:
    torch.manual_seed(1)
    network = ResNet(ResNetConfig((1, 1), (1, 1), (4, 8), 1, (8, 8), 3, (8, 4, 2))).eval()
    x, mode = torch.rand(64, 1, 8, 8), Mode.parse("44.22")
    before, own = statistics(network), own_statistics(network, mode, x)
    changed = next(iter(own))

    def is_own() -> bool:
        return torch.equal(statistics(network)[changed][0], own[changed][0])

    for scores, taken in (((1.0, 2.0), True), ((2.0, 1.0), False), ((1.0, 1.0), False)):
        told = iter(scores)
        with preferred(network, mode, x, lambda told=told: next(told)) as found:  # type: ignore[misc]
            assert (found.own, found.as_trained, found.chosen) == (taken, scores[0], max(scores))
            assert is_own() == taken
        assert all(torch.equal(pair[0], statistics(network)[name][0]) for name, pair in before.items())
    with preferred(network, Mode.parse("22.22"), x, lambda: 1.0) as found:
        assert not found.own


def test_modes_that_see_nearly_the_same_at_a_norm_share_its_constants() -> None:
    """The more they may differ, the fewer sets there are; labels are what one mode says with statistics of its own."""
    torch.manual_seed(2)
    network = ResNet(ResNetConfig((1, 1, 1), (1, 1, 1), (4, 8, 8), 1, (8, 8), 3)).eval()
    data = stripes()
    norms, x = to_input(data.train.images[:256]), to_input(data.val.images)
    modes = [mode for mode in network.depth_patterns(8) if is_mixed(mode, network.config)]
    with torch.no_grad():
        logits = deploy(network, modes[0], own_statistics(network, modes[0], norms))(x)
        network.fc.bias.sub_(logits.median(0).values)  # so that it names every class
        labels = (logits - logits.median(0).values).argmax(1)
    images = CalibrationImages((), (), norms, norms, x, labels)
    sets = {}
    for share in (0.0, 0.1, 1.0):
        found = choose_norms(network, modes, CalibrationSection(share_bn=share), images, silent)
        recalibrated = [subnet for subnet in found if subnet.statistics]
        assert recalibrated
        assert all(subnet.measured.accuracy > subnet.as_trained.accuracy for subnet in recalibrated)
        sets[share] = {
            (name, mean.numpy().tobytes(), var.numpy().tobytes())
            for subnet in recalibrated
            for name, (mean, var) in subnet.statistics.items()
        }
    assert len(sets[0.0]) > len(sets[0.1]) > len(sets[1.0])
