# SPDX-License-Identifier: Apache-2.0
"""Which modes a calibration looks at."""

import dataclasses
import math

import pytest
import torch

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import build
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.recipe.sections.publishing import SelectionSection
from dimmer.pipeline.subnets.candidates import candidate_modes, spread
from dimmer.pipeline.subnets.static_front import StaticMode
from tests.tiny import TINY, TINY_NARROW


def recipe_of(tmp_path_factory: pytest.TempPathFactory, text: str) -> Recipe:
    path = tmp_path_factory.mktemp("candidates") / "recipe.toml"
    path.write_text(text)
    return load_recipe(path)


def modes_of(recipe: Recipe) -> list[str]:
    torch.manual_seed(0)
    network = build(recipe.model.family, recipe.model.config)
    return [
        str(mode)
        for mode in candidate_modes(network, recipe.forced_modes(), recipe.selection, 2.0, torch.randn(8, 1, 28, 28))
    ]


def test_at_8_bits_they_are_the_depth_patterns(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert modes_of(recipe_of(tmp_path_factory, TINY)) == ["88.88", "80.88", "88.80", "80.80"]


def test_every_width_has_all_depths_and_the_search_adds_mixed_ones(tmp_path_factory: pytest.TempPathFactory) -> None:
    recipe = recipe_of(tmp_path_factory, TINY_NARROW)
    modes = modes_of(recipe)
    for bits in "842":
        assert {f"{bits}{bits}.{bits}{bits}", f"{bits}0.{bits}0", f"{bits}{bits}.{bits}0"} <= set(modes)
    assert "84.20" in modes, "forced"
    assert len(modes) <= 3 * 4 + 1 + recipe.selection.search
    costs = [Mode.parse(m).bit_operations(build(recipe.model.family, recipe.model.config).cost()) for m in modes]
    assert costs == sorted(costs, reverse=True)


def test_where_the_forced_modes_fill_the_limit_no_other_is_looked_at(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    recipe = recipe_of(tmp_path_factory, TINY_NARROW)
    full = dataclasses.replace(recipe, selection=SelectionSection(force=("44.44", "84.20"), limit=4))
    assert set(modes_of(full)) == {"88.88", "80.80", "44.44", "84.20"}


def test_a_front_is_spread_over_the_logarithm_of_the_cost() -> None:
    front = [StaticMode(Mode(((8,),)), math.exp2(-n / 4), 0.0) for n in range(21)]
    front = [StaticMode(Mode(((8,) * (n + 1),)), point.cost, 0.0) for n, point in enumerate(front)]
    assert [len(mode.blocks[0]) - 1 for mode in spread(front, 3)] == [0, 10, 20]
    assert len(spread(front, 30)) == 21
