"""A tiny adaptive network on the way to firmware, made once for all tests of the stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.recipe import Recipe, load_recipe

TINY = """
[model]
family = "resnet"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [4, 8]

[train]
epochs = 1
batch = 64
lr = 0.05
momentum = 0.9
weight_decay = 5e-4
warmup = 0.1
alpha = 0.5
temperature = 2.0
seed = 1

[calibration]
images = 64
bn_images = 256

[selection]
force = ["88.80"]

[verify]
images = 4
"""


@dataclass(frozen=True)
class TinyBuild:
    """A recipe and its build folder, trained for one epoch."""

    recipe: Recipe
    build: Path


def silent(_text: str, _share: float) -> None:
    """A progress callback that says nothing."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyBuild]:
    """Trained and calibrated."""
    import torch

    from pipeline import calibrate, train

    root = tmp_path_factory.mktemp("tiny")
    (root / "tiny-r10").mkdir()
    (root / "tiny-r10" / "recipe.toml").write_text(TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIMMER_BUILD", str(root / "build"))
        recipe = load_recipe(root / "tiny-r10")
        build = root / "build" / "tiny-r10"
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        train.run(recipe, build, silent)
        calibrate.run(recipe, build, silent)
        torch.set_num_threads(threads)
        yield TinyBuild(recipe, build)


@pytest.fixture(scope="session")
def tiny_converted(tiny: TinyBuild) -> TinyBuild:
    """Exported and converted as well."""
    from pipeline import convert, export

    export.run(tiny.recipe, tiny.build, silent)
    convert.run(tiny.recipe, tiny.build, silent)
    return tiny
