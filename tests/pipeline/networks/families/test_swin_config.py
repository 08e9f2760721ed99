# SPDX-License-Identifier: Apache-2.0
"""Keys of the Swin transformers, refused with file, line and key; and what Swin-T costs."""

from pathlib import Path

import pytest

from dimmer.pipeline.modes.mode import base_mode, super_mode
from dimmer.pipeline.networks.families.swin_config import SwinConfig
from tests.pipeline.networks.families.road import refused
from tests.pipeline.networks.families.test_swin import RECIPE

SWIN_T = SwinConfig(
    (1, 1, 3, 1), (1, 1, 3, 1), (96, 192, 384, 768), (3, 6, 12, 24), 3, (224, 224), 1000, 4, 7, 4, "before"
)


def test_swin_t_costs_what_the_paper_says() -> None:
    cost, depth = SWIN_T.cost(), (SWIN_T.mandatory, SWIN_T.skippable)
    assert super_mode(*depth).macs(cost) == pytest.approx(4.49e9, rel=0.01)
    assert base_mode(*depth).macs(cost) == pytest.approx(2.34e9, rel=0.01)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("heads = [1, 2]", "heads = [1]", "model.heads = .*: must have one entry a stage"),
        ("heads = [1, 2]", "heads = [1, 3]", "model.heads = .*: must divide the stage's width, 16"),
        ("patch = 7", "patch = 3", "model.patch = 3: must divide the image's height and width, 28 and 28"),
        ("window = 2", "window = 4", "model.window = 4: must divide every stage's height and width; one stage has 2"),
        ("window = 2", "window = 1", "model.window = 1: must be 2 to 16"),
        ("window = 2", 'window = 2\nnorms = ""', "model.norms = '': must be one of behind, before"),
    ],
)
def test_a_broken_key_names_file_line_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    refused(tmp_path, RECIPE, old, new, says)
