"""What of a recipe decides a calibration."""

from pathlib import Path

from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.subnets.order import order_of
from tests.tiny import TINY_NARROW


def test_forced_modes_super_net_and_base_net_are_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(TINY_NARROW.replace('"84.20"]', '"84.20", "88.88"]'))
    recipe = load_recipe(path)
    order = order_of(recipe)
    assert [str(mode) for mode in order.kept] == ["44.44", "22.20", "84.20", "88.88", "80.80"]
    assert (order.name, order.seed, order.temperature) == (tmp_path.name, 1, 2.0)
    assert (order.model, order.selection) == (recipe.model, recipe.selection)
