# SPDX-License-Identifier: Apache-2.0
"""Keys of the compact convolutional transformers, refused with file, line and key."""

from pathlib import Path

import pytest

from tests.pipeline.networks.families.road import refused
from tests.pipeline.networks.families.test_cct import RECIPE


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("layers = 2", "layers = 5", "model.layers = 5: must be 1 to 4"),
        ("layers = 2", "taps = 4", "model.taps = 4: must be 3, 5 or 7"),
        ("layers = 2", "patch = 4", "model.patch = 4: must be left out: layers says"),
    ],
)
def test_a_broken_key_names_file_line_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    refused(tmp_path, RECIPE, old, new, says)
