# SPDX-License-Identifier: Apache-2.0
"""Keys of the vision transformers, refused with file, line and key."""

from pathlib import Path

import pytest

from tests.pipeline.networks.families.road import refused
from tests.pipeline.networks.families.test_vit import RECIPE


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("heads = 2", "heads = 3", "model.heads = 3: must divide the stage's width, 16"),
        ("patch = 7", "patch = 5", "model.patch = 5: must divide the image's height and width, 28 and 28"),
        ("patch = 7", "patch = 0", "model.patch = 0: must be 1 to 64"),
        ("patch = 7", 'patch = 7\nnorms = "around"', "model.norms = 'around': must be one of behind, before"),
        ("patch = 7", "patch = 7\nmlp = 9", "model.mlp = 9: must be 1 to 8"),
        ("widths = [16, 16]", "widths = [16, 8]", "model.widths = .*: must be the same in every stage"),
        ("patch = 7", 'patch = 7\nnorms = "before"\nbits = [8, 4]', r"must be \[8\] where norms = .before."),
    ],
)
def test_a_broken_key_names_file_line_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    refused(tmp_path, RECIPE, old, new, says)
