# SPDX-License-Identifier: Apache-2.0
"""Keys of the ResNets for series, refused with file, line and key."""

from pathlib import Path

import pytest

from tests.pipeline.networks.families.road import refused
from tests.pipeline.networks.families.test_resnet1d import RECIPE


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("taps = 5\n", "taps = 4\n", "model.taps = 4: must be odd"),
        ("stem_taps = 7", "stem_taps = 65", "model.stem_taps = 65: must be 1 to 63"),
        ("stem_stride = 1", "stem_stride = 9", "model.stem_stride = 9: must be 1 to 8"),
        ("strides = [1, 3]", "strides = [1]", "model.strides = .*: must have one entry a stage"),
        ("strides = [1, 3]", "strides = [1, 9]", "model.strides = .*: must have 1 to 8 in every stage"),
    ],
)
def test_a_broken_key_names_file_line_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    refused(tmp_path, RECIPE, old, new, says)
