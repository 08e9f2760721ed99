# SPDX-License-Identifier: Apache-2.0
"""Tensors that share a range, and ranges that are given."""

import pytest
import torch

from dimmer.calibration.assign import Choice
from dimmer.calibration.ranges import Range
from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.measure import measure
from dimmer.pipeline.recipe.sections.publishing import CalibrationSection
from dimmer.pipeline.subnets.images import CalibrationImages
from dimmer.pipeline.subnets.norms import Subnet, own_statistics
from dimmer.pipeline.subnets.ranges import Ranges, choose_ranges
from tests.tiny import TinyBuild, silent


@pytest.mark.xdist_group("tiny")
def test_block_boundaries_of_a_stage_have_one_range_in_all_modes(tiny: TinyBuild) -> None:
    calibration = Calibration.load(calibration_folder(tiny.build))
    for stage in ("0", "1"):
        ranges = {
            calibration.ranges(mode.name)[site]
            for mode in calibration.modes
            for site in mode.sites
            if site.startswith(f"{stage}.") and site.endswith(".out")
        }
        assert len(ranges) == 1


@pytest.mark.xdist_group("tiny")
def test_the_input_keeps_the_pixel_grid(tiny: TinyBuild) -> None:
    low, high = Calibration.load(calibration_folder(tiny.build)).ranges("88.88")["input"]
    assert (high - low) / 255 == 1 / 64
    assert low == -2.0


def test_a_mode_has_the_ranges_of_the_groups_that_it_is_in() -> None:
    stream, inner = Range(0.0, 6.0), Range(-1.0, 1.0)
    members = (("88", "0.0.out"), ("88", "0.1.out"), ("80", "0.0.out"))
    ranges = Ranges(
        {
            "stream.0": Choice("stream.0", stream, "mse", {}, members),
            "0.1.conv1@shared": Choice("0.1.conv1@shared", inner, "minmax", {}, (("88", "0.1.conv1"),)),
        }
    )
    assert ranges.of("80") == {"0.0.out": stream}
    assert ranges.of("88") == {"0.0.out": stream, "0.1.out": stream, "0.1.conv1": inner}
    assert ranges.groups("88") == {"0.0.out": "stream.0", "0.1.out": "stream.0", "0.1.conv1": "0.1.conv1@shared"}


def mixed_and_trained() -> tuple[list[Subnet], CalibrationImages]:
    """Super-net, base-net and a mode between, with statistics of its own."""
    torch.manual_seed(1)
    network = ResNet(ResNetConfig((1, 1), (1, 1), (4, 8), 1, (8, 8), 3)).eval()
    x = torch.rand(64, 1, 8, 8)
    images = CalibrationImages((x,), (x,), x, x, x, torch.zeros(64, dtype=torch.int64))
    subnets = []
    for name in ("88.88", "80.80", "80.88"):
        mode = Mode.parse(name)
        own = own_statistics(network, mode, x) if name == "80.88" else {}
        made = deploy(network, mode, own)
        found = measure(made, images.validation, images.labels)
        subnets.append(Subnet(mode, name == "80.88", made, own, found, found))
    return subnets, images


def test_ranges_within_a_block_are_a_mode_s_own_unless_statistics_are_shared() -> None:
    subnets, images = mixed_and_trained()
    groups = {
        share: set(choose_ranges(subnets, CalibrationSection(share_bn=share), images, silent).choices)
        for share in (0.0, 0.01)
    }
    own_groups = {group for group in groups[0.0] if "-" in group}
    assert own_groups
    assert groups[0.01] == groups[0.0] - own_groups


@pytest.mark.parametrize("decide", [False, True])
def test_modes_that_share_statistics_leave_the_ranges_of_trained_ones_alone(decide: bool) -> None:
    """Super- and base-net are as they would be without them; without sharing all have a say in what is common."""
    subnets, images = mixed_and_trained()
    settings = CalibrationSection(share_bn=0.0 if decide else 0.01)
    beside, alone = (choose_ranges(some, settings, images, silent) for some in (subnets, subnets[:2]))
    moved = [name for name in ("88.88", "80.80") if beside.of(name) != alone.of(name)]
    assert bool(moved) == decide
    assert beside.of("80.88").keys() == {"input", *(site for site in beside.of("88.88") if site[:4] != "0.1.")}
