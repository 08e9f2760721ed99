# SPDX-License-Identifier: Apache-2.0
"""What of a recipe decides a calibration."""

from pathlib import Path

from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.subnets.order import order_of
from tests.tiny import TINY_NARROW


def test_it_has_the_sections_and_every_mode_that_is_forced_once(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(TINY_NARROW.replace('"84.20"]', '"84.20", "88.88", "44.44"]'))
    recipe = load_recipe(path)
    order = order_of(recipe)
    assert [str(mode) for mode in order.forced] == ["44.44", "22.20", "84.20", "88.88"]
    assert (order.name, order.seed, order.temperature) == (tmp_path.name, 1, 2.0)
    assert (order.dataset, order.selection) == ("mnist5k", recipe.selection)
