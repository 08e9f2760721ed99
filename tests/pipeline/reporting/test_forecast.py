# SPDX-License-Identifier: Apache-2.0
"""What a build tells before a long training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.checkpoint import training_folder
from dimmer.pipeline.core.partial import partial_of
from dimmer.pipeline.data.registry import dataset_hash, load_dataset
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.reporting import forecast
from dimmer.targets import load_target
from tests.own_data import TRAIN, cache, write_images
from tests.pipeline.data.test_own import MODEL

__all__ = ["cache"]


@pytest.fixture
def recipe(tmp_path: Path, cache: Path) -> Recipe:
    write_images(tmp_path / "d", {"dark": 20, "light": 20})
    data = '[data]\nkind = "images"\npath = "d"\nclasses = ["dark", "light"]\nsize = [8, 8]\n'
    (tmp_path / "recipe.toml").write_text(MODEL + data + TRAIN.replace("epochs = 1", "epochs = 50"))
    return load_recipe(tmp_path)


def test_a_share_of_the_data_is_other_data(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "SAMPLES", 12)
    monkeypatch.setattr(forecast, "SHORT", 3 * 12 * forecast._macs(recipe))
    short = forecast.shortened(recipe, 28)
    assert (short.train.epochs, short.train.batch, short.selection.limit) == (3, 3, 2)
    found = load_dataset(short.source)
    assert (len(found.train), len(found.val), len(found.test)) == (12, 6, 6)
    assert dataset_hash(short.source) != dataset_hash(recipe.source)
    assert short.model.described() == recipe.model.described()


def test_only_a_long_training_ahead_is_worth_it(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = BuildContext(recipe, load_target("host"), tmp_path / "build")
    assert not forecast.is_worth_it(context)
    monkeypatch.setattr(forecast, "WORTH_IT", 1e3)
    assert forecast.is_worth_it(context)
    folder = training_folder(context.build_dir)
    folder.mkdir(parents=True)
    (folder / "checkpoint.safetensors").touch()
    assert not forecast.is_worth_it(context)
    # One that is begun was told of.
    (folder / "checkpoint.safetensors").rename(folder / "state.safetensors")
    folder.rename(partial_of(folder))
    assert not forecast.is_worth_it(context)


def test_of_a_known_data_set_it_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    known = replace(recipe, model=replace(recipe.model, dataset="mnist5k"))
    context = BuildContext(known, load_target("host"), tmp_path)
    with pytest.raises(DimmerError, match="--forecast is for data of your own"):
        forecast.tell_before(context, lambda _: None, True, False, Console())
    forecast.tell_before(context, lambda _: pytest.fail("it built"), None, False, Console())


def test_parts_of_a_batch_and_falls_of_the_rate_are_those_of_a_short_training(recipe: Recipe) -> None:
    long = replace(recipe, train=replace(recipe.train, epochs=50, drops=(20, 40), batch=12, accumulate=3))
    short = forecast.shortened(long, 28).train
    assert short.batch % short.accumulate == 0
    assert short.drops == ()
