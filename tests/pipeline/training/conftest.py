# SPDX-License-Identifier: Apache-2.0
"""A recipe that trains in seconds, and a backbone for gates, trained once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.training import gate_loop, loop
from dimmer.pipeline.training.settings import TrainingSettings
from tests.pipeline.training.small import GATES, bright_or_dark, recipe_in, stripes


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Tensors this small are faster, and equal bits need equal numbers of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A tiny network that learns to tell bright images from dark ones."""
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    monkeypatch.setattr(loop, "load_dataset", lambda name: bright_or_dark())
    return recipe_in(tmp_path)


@pytest.fixture
def settings(recipe: Recipe) -> TrainingSettings:
    """The same as settings."""
    return TrainingSettings.of(recipe)


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """A recipe with gates, and the checkpoint of its backbone."""
    folder = tmp_path_factory.mktemp("gates")
    recipe = recipe_in(folder, GATES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "load_dataset", lambda name: stripes())
        return recipe, loop.train(TrainingSettings.of(recipe), folder / "train")


@pytest.fixture
def gratings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gates are trained on toy images."""
    monkeypatch.setattr(gate_loop, "load_dataset", lambda name: stripes())
