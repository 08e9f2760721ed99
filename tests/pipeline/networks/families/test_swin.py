# SPDX-License-Identifier: Apache-2.0
"""The adaptive Swin transformer in both forms: windows, merging, and the road to firmware."""

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.families.swin import Swin
from dimmer.pipeline.networks.families.swin_config import SwinConfig
from dimmer.pipeline.networks.layers.channel_norm import SkipAwareChannelNorm
from tests.pipeline.networks.families import road

SMALL = SwinConfig((1, 1), (1, 1), (4, 8), (1, 2), 2, (16, 8), 3, window=2)
PUBLISHED = replace(SMALL, norms="before")

RECIPE = (
    """\
[model]
family = "swin"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [8, 16]
heads = [1, 2]
patch = 7
window = 2
"""
    + road.REST
)
RECIPE_BEFORE = RECIPE.replace("patch = 7", 'patch = 7\nnorms = "before"')


@pytest.mark.parametrize("config", [SMALL, PUBLISHED], ids=["behind", "before"])
def test_it_costs_holds_and_folds_what_it_says(config: SwinConfig) -> None:
    net = road.network("swin", config)
    road.check_costs(net)
    road.check_entries(net)
    road.check_deployed(net)
    road.check_one_blob(net)
    road.check_gradients(net, Mode.parse("80.88"))


def test_norms_of_mandatory_blocks_have_twins_that_of_the_merging_too() -> None:
    twins = {name for name, module in Swin(PUBLISHED).named_modules() if isinstance(module, SkipAwareChannelNorm)}
    assert twins == {f"stages.{s}.0.{n}_norm" for s in (0, 1) for n in ("attention", "mlp")} | {"stages.1.0.merge.norm"}


def test_every_second_block_is_shifted_where_there_is_more_than_one_window() -> None:
    wide = replace(SMALL, mandatory=(2, 2), skippable=(2, 1))
    assert [wide.shift(0, block) for block in range(4)] == [0, 1, 0, 1]
    assert wide.grids() == ((8, 4), (4, 2))
    assert [wide.shift(1, block) for block in range(3)] == [0, 0, 0]


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
@pytest.mark.board("mps3-an547")
@pytest.mark.parametrize("text", [RECIPE, RECIPE_BEFORE], ids=["behind", "before"])
def test_every_depth_mode_is_exact_on_host_and_boards(builds: Path, text: str, request: pytest.FixtureRequest) -> None:
    found = road.walk(builds, f"road-swin-{request.node.callspec.id}", text, "mps2-an386", "mps3-an547")
    assert len(found.modes) == 4
    road.check_exact(found)
