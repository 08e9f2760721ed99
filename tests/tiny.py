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

TINY_NARROW = (
    TINY.replace("widths = [4, 8]", "widths = [4, 8]\nbits = [8, 4, 2]").replace(
        'force = ["88.80"]', 'force = ["44.44", "22.20", "84.20"]\nsearch = 2\nlimit = 8\nimages = 64'
    )
    + "\n[qat]\nepochs = 1\n"
)


@dataclass(frozen=True)
class TinyBuild:
    """A recipe and its build folder, trained for one epoch."""

    recipe: Recipe
    build: Path


def silent(_text: str, _share: float) -> None:
    """A progress callback that says nothing."""


def _calibrated(root: Path, name: str, text: str) -> Iterator[TinyBuild]:
    import torch

    from pipeline import calibrate, train

    (root / name).mkdir()
    (root / name / "recipe.toml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIMMER_BUILD", str(root / "build"))
        recipe = load_recipe(root / name)
        build = root / "build" / name
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        train.run(recipe, build, silent)
        calibrate.run(recipe, build, silent)
        torch.set_num_threads(threads)
        yield TinyBuild(recipe, build)


def _converted(built: TinyBuild) -> TinyBuild:
    from pipeline import convert, export

    export.run(built.recipe, built.build, silent)
    convert.run(built.recipe, built.build, silent)
    return built


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyBuild]:
    """Trained and calibrated."""
    yield from _calibrated(tmp_path_factory.mktemp("tiny"), "tiny-r10", TINY)


@pytest.fixture(scope="session")
def tiny_converted(tiny: TinyBuild) -> TinyBuild:
    """Exported and converted as well."""
    return _converted(tiny)


@pytest.fixture(scope="session")
def tiny_narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyBuild]:
    """A network whose blocks also run with 4 and 2 bits, trained, calibrated, exported and converted."""
    for built in _calibrated(tmp_path_factory.mktemp("narrow"), "tiny-narrow-r10", TINY_NARROW):
        yield _converted(built)
