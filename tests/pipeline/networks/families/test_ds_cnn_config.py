# SPDX-License-Identifier: Apache-2.0
"""Keys of the DS-CNNs, refused with file, line and key."""

from pathlib import Path

import pytest

from tests.pipeline.networks.families.road import refused
from tests.pipeline.networks.families.test_ds_cnn import RECIPE


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("kernel = [10, 4]", "kernel = [10]", r"model.kernel = \[10\]: must be \[height, width\]"),
        ("kernel = [10, 4]", "kernel = [0, 4]", "model.kernel = .*: must be 1 to 64"),
        ("kernel = [10, 4]", "kernel = [29, 4]", "model.kernel = .*: must fit the image, whose height is 28"),
        ("strides = [2, 2]", "strides = [2]", r"model.strides = \[2\]: must be \[down, across\]"),
        ("strides = [2, 2]", "strides = [2, 17]", "model.strides = .*: must be 1 to 16"),
    ],
)
def test_a_broken_key_names_file_line_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    refused(tmp_path, RECIPE, old, new, says)
