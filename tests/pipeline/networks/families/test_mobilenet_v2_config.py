# SPDX-License-Identifier: Apache-2.0
"""Keys of the MobileNetV2s, refused with file, line and key."""

from pathlib import Path

import pytest

from tests.pipeline.networks.families.road import refused
from tests.pipeline.networks.families.test_mobilenet_v2 import RECIPE


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("strides = [1, 2, 2, 1]", "strides = [1, 2, 3, 1]", "model.strides = .*: must have 1 or 2 in every stage"),
        ("strides = [1, 2, 2, 1]", "strides = [1, 2]", "model.strides = .*: must have one entry a stage"),
        (
            "expansion = [1, 4, 4, 4]",
            "expansion = [0, 4, 4, 4]",
            "model.expansion = .*: must have 1 to 8 in every stage",
        ),
        ("stem = 8", "stem = 0", "model.stem = 0: must be 1 to 8192"),
        ("head = 32", "head = -1", "model.head = -1: must be 1 to 8192"),
        ("stem_stride = 2", "stem_stride = 4", "model.stem_stride = 4: must be 1 or 2"),
        ("\n[verify]", "\n[gates]\nepochs = 1\noptions = [8, 0]\n[verify]", "set model.outer_twins = false, or set it"),
    ],
)
def test_a_broken_key_names_file_line_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    refused(tmp_path, RECIPE.replace('force = "all"', "force = []"), old, new, says)
