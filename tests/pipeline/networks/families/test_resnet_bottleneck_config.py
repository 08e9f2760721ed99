# SPDX-License-Identifier: Apache-2.0
"""Keys of the ResNets with bottlenecks, refused with file, line and key."""

from pathlib import Path

import pytest

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
