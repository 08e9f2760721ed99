# SPDX-License-Identifier: Apache-2.0
"""Tensors that share a range, and ranges that are given."""

import pytest

from dimmer.calibration.assign import Choice
from dimmer.calibration.ranges import Range
from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder
from dimmer.pipeline.subnets.ranges import Ranges
from tests.tiny import TinyBuild


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
