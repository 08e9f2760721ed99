# SPDX-License-Identifier: Apache-2.0
"""The adaptive compact convolutional transformer: tokenizer, weighted mean, and the road to firmware."""

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy, fixed_ranges, range_group
from dimmer.pipeline.networks.families.cct_config import CCTConfig
from tests.pipeline.networks.families import road

SMALL = CCTConfig((1, 2), (1, 1), (8, 8), 2, 2, (9, 13), 3)

RECIPE = (
    """\
[model]
family = "cct"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [16, 16]
heads = 2
layers = 2
"""
    + road.REST
)


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, layers=1, taps=5, norms="before")], ids=["behind", "before"])
def test_it_costs_holds_and_folds_what_it_says(config: CCTConfig) -> None:
    net = road.network("cct", config)
    road.check_costs(net)
    road.check_entries(net)
    road.check_deployed(net)
    road.check_one_blob(net)
    road.check_gradients(net, Mode.parse("80.888"))


def test_pooled_tokens_and_shares_have_the_ranges_that_their_operators_want() -> None:
    deployed = deploy(road.network("cct", SMALL), Mode.parse("80.880"))
    assert range_group(deployed, "tokens0/conv") == "tokens0"
    assert fixed_ranges(deployed)["shares"] == (0.0, 255 / 256)


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
@pytest.mark.board("mps3-an547")
@pytest.mark.parametrize("norms", ["behind", "before"])
def test_every_depth_mode_is_exact_on_host_and_boards(builds: Path, norms: str) -> None:
    text = RECIPE.replace("heads = 2", f'heads = 2\nnorms = "{norms}"')
    assert text != RECIPE
    found = road.walk(builds, f"road-cct-{norms}", text, "mps2-an386", "mps3-an547")
    assert len(found.modes) == 4
    road.check_exact(found)
