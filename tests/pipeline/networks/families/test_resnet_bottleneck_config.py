# SPDX-License-Identifier: Apache-2.0
"""Keys of the ResNets with bottlenecks, refused with file, line and key."""

from functools import partial
from pathlib import Path

import pytest
import torch

from dimmer.pipeline.networks import build
from dimmer.pipeline.networks.adapted.probe import count_macs
from dimmer.pipeline.networks.families.resnet_bottleneck_config import ResNetBottleneckConfig
from tests.pipeline.networks.families.road import refused
from tests.pipeline.networks.families.test_resnet_bottleneck import RECIPE


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("stem = 8", "stem = 8\nratio = 3", "model.widths = .*: must be multiples of ratio, 3"),
        ("stem = 8", "stem = 8\nratio = 17", "model.ratio = 17: must be 1 to 16"),
        ("stem = 8", "stem = 0", "model.stem = 0: must be 1 to 8192"),
        ("stem_taps = 5", "stem_taps = 4", "model.stem_taps = 4: must be 3, 5 or 7"),
        ("stem_stride = 2", "stem_stride = 3", "model.stem_stride = 3: must be 1 or 2"),
    ],
)
def test_a_broken_key_names_file_line_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    refused(tmp_path, RECIPE, old, new, says)


@torch.no_grad()
def test_stages_that_halve_a_single_pixel_have_their_projections_counted() -> None:
    config = ResNetBottleneckConfig(
        mandatory=(1,) * 7, skippable=(1,) * 7, widths=(4,) * 7, in_channels=1, image_size=(12, 12), classes=3, ratio=2
    )
    network = build("resnet_bottleneck", config).eval()
    for mode in (network.super_mode(), network.base_mode()):
        assert count_macs(partial(network, torch.zeros(1, 1, 12, 12), mode)) == mode.macs(config.cost())
