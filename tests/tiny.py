# SPDX-License-Identifier: Apache-2.0
"""A tiny adaptive network on the way to firmware, made once for all tests of the stages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe

TINY = """
[model]
family = "resnet"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [4, 8]

[train]
epochs = 1
batch = 128
lr = 0.1
momentum = 0.9
weight_decay = 5e-4
warmup = 0.1
alpha = 0.5
temperature = 2.0
seed = 1

[calibration]
images = 32
bn_images = 128

[selection]
force = ["88.80"]

[verify]
images = 4

[policy]
tiers = [600, 400, 200]
"""

TINY_NARROW = (
    TINY.replace("widths = [4, 8]", "widths = [4, 8]\nbits = [8, 4, 2]")
    .replace('force = ["88.80"]', 'force = ["44.44", "22.20", "84.20"]\nsearch = 1\nlimit = 6\nimages = 32')
    .replace("batch = 128", "batch = 256")
    .replace("images = 32\nbn_images = 128", "images = 16\nbn_images = 32")
    + "\n[qat]\nepochs = 1\nshare = 0.1\n"
)


@dataclass(frozen=True)
class TinyBuild:
    """A recipe and its build folder, trained for one epoch."""

    recipe: Recipe
    build: Path


def silent(_text: str, _share: float) -> None:
    """A progress callback that says nothing."""


def of_the_run(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder that all workers of a run have in common; pytest removes those of old runs."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The one folder of all builds in this run, whichever worker makes them: stages wait for each other."""
    root = of_the_run(tmp_path_factory, "builds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIMMER_BUILD", str(root))
        yield root


def calibrated(builds: Path, name: str, text: str) -> TinyBuild:
    """A recipe trained and calibrated, with one thread."""
    import torch

    from dimmer.pipeline import calibrate, train

    path = builds.parent / "models" / name / "recipe.toml"
    atomic_write(path, text)
    recipe = load_recipe(path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    train.run(recipe, builds / name, silent)
    calibrate.run(recipe, builds / name, silent)
    torch.set_num_threads(threads)
    return TinyBuild(recipe, builds / name)


def converted(built: TinyBuild) -> TinyBuild:
    """The same exported and converted."""
    from dimmer.pipeline import convert, export

    export.run(built.recipe, built.build, silent)
    convert.run(built.recipe, built.build, silent)
    return built


@pytest.fixture(scope="session")
def tiny(builds: Path) -> TinyBuild:
    """Trained and calibrated."""
    return calibrated(builds, "tiny-r10", TINY)


@pytest.fixture(scope="session")
def tiny_converted(tiny: TinyBuild) -> TinyBuild:
    """Exported and converted as well."""
    return converted(tiny)


@pytest.fixture(scope="session")
def tiny_narrow(builds: Path) -> TinyBuild:
    """A network whose blocks also run with 4 and 2 bits, trained, calibrated, exported and converted."""
    return converted(calibrated(builds, "tiny-narrow-r10", TINY_NARROW))
