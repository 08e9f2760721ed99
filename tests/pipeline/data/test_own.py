# SPDX-License-Identifier: Apache-2.0
"""The section [data]: its shape without a look at the data, and every mistake under the name of its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.core.closure import is_module
from dimmer.pipeline.data.own import KINDS, DataSection, OwnData
from dimmer.pipeline.data.registry import dataset_modules
from dimmer.pipeline.recipe.recipe import load_recipe
from tests.own_data import TRAIN, steps_section

MODEL = '[model]\nfamily = "resnet"\ndataset = "own"\nmandatory = [1]\nskippable = [1]\nwidths = [4]\n'
AB = ("a", "b")


@pytest.mark.parametrize(
    ("section", "shape"),
    [
        (DataSection("images", "x", classes=AB, size=(8, 6), colour="grey"), (8, 6, 1)),
        (DataSection("images", "x", classes=AB), (32, 32, 3)),
        (DataSection("recordings", "x", classes=AB, window=800, frame=8), (1, 100, 8)),
        (steps_section(), (1, 16, 3)),
        (steps_section(rows="windows", window=1, columns=("a", "b", "c")), (1, 1, 3)),
        (DataSection("python", "m:f", classes=AB, channels=("r", "g"), size=(4, 5), label=("y",)), (4, 5, 2)),
        (DataSection("python", "m:f", classes=AB, channels=("r",), window=9, label=("y",)), (1, 9, 1)),
    ],
)
def test_the_shape_is_known_without_the_data(section: DataSection, shape: tuple[int, int, int]) -> None:
    assert section.shape.image_shape == shape
    assert section.shape.classes == 2


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("kind", {"kind": "smells"}),
        ("path", {"path": ""}),
        ("path", {"path": "a\0b"}),
        ("task", {"task": "guess"}),
        ("classes", {"classes": ("one",)}),
        ("classes", {"classes": ("one", "one")}),
        ("classes", {"classes": ("one", "two\nlines")}),
        ("units", {"units": ("m",)}),
        ("tolerance", {"tolerance": (1.0,)}),
        ("window", {"window": 0}),
        ("step", {"step": -1}),
        ("channels", {"channels": ()}),
        ("channels", {"channels": ("ax", "ax")}),
        ("rows", {"rows": "columns"}),
        ("columns", {"columns": ("a",)}),
        ("columns", {"rows": "windows", "window": 1, "columns": ("a", "b")}),
        ("columns", {"rows": "windows", "window": 1, "columns": ("a", "b", "a")}),
        ("val", {"val": float("nan")}),
        ("test", {"val": 0.5, "test": 0.45}),
        ("label", {"label": ("a", "b")}),
        ("label", {"task": "labels", "label": ("a",)}),
        ("balance", {"task": "values", "label": ("a", "b"), "balance": True}),
        ("tolerance", {"task": "values", "label": ("a", "b"), "tolerance": (1.0, 0.0)}),
        ("size", {"size": (32,)}),
        ("size", {"size": (0, 32)}),
        ("fit", {"fit": "tight"}),
        ("colour", {"colour": "cmyk"}),
        ("seed", {"seed": -1}),
    ],
)
def test_a_mistake_names_its_key(key: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        steps_section(**changes)
    assert caught.value.key == key
    assert "\n" not in caught.value.reason


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("frame", {"kind": "recordings", "window": 100, "frame": 7}),
        ("rate", {"kind": "recordings", "window": 100, "frame": 10, "rate": 0}),
        ("path", {"kind": "python", "path": "no function", "channels": ("a",)}),
        ("channels", {"kind": "python", "path": "m:f"}),
        ("group", {"kind": "images", "group": "no part"}),
        ("group", {"kind": "images", "group": "(["}),
        ("table", {"kind": "images", "label": ("breed",)}),
    ],
)
def test_so_does_one_of_another_kind(key: str, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        DataSection(**{"path": "x", "classes": AB, **given})
    assert caught.value.key == key


def test_the_modules_of_every_kind_are_there() -> None:
    for kind in KINDS:
        section = DataSection(kind, "m:f", classes=AB, window=16, channels=("a",))
        modules = dataset_modules(OwnData(section, Path("x")))
        assert all(map(is_module, modules)), modules
        assert len(set(modules)) == 2


def test_a_recipe_has_it_and_only_where_the_data_is_own(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    data = '[data]\nkind = "images"\npath = "pictures"\nclasses = ["cat", "dog"]\nsize = [16, 24]\n'
    path.write_text(MODEL + data + TRAIN)
    recipe = load_recipe(path)
    assert isinstance(recipe.source, OwnData)
    assert recipe.source.place == tmp_path / "pictures"
    assert (recipe.model.config.image_size, recipe.model.config.in_channels, recipe.model.config.classes) == (
        (16, 24),
        3,
        2,
    )
    path.write_text(MODEL.replace("own", "mnist5k") + data + TRAIN)
    with pytest.raises(
        DimmerError, match=r'recipe.toml, line 3: model.dataset = .*: must be "own" where there is \[data\]'
    ):
        load_recipe(path)
    path.write_text(MODEL + TRAIN)
    with pytest.raises(DimmerError, match=r"line 3: model.dataset = .* needs the section \[data\] with its kind"):
        load_recipe(path)
    path.write_text(MODEL + data.replace('"dog"]', '"cat"]') + TRAIN)
    with pytest.raises(DimmerError, match=r"line 10: data.classes = .*: must hold 2 to 4096 names, each once"):
        load_recipe(path)


@pytest.mark.parametrize("section", ["gates", "polish"])
def test_what_is_for_classes_is_refused_elsewhere(tmp_path: Path, section: str) -> None:
    path = tmp_path / "recipe.toml"
    data = '[data]\nkind = "windows"\npath = "x.csv"\ntask = "values"\nclasses = ["load"]\nlabel = ["kg"]\n'
    path.write_text(MODEL + data + 'window = 16\nchannels = ["a"]\n' + TRAIN + f"[{section}]\nepochs = 1\n")
    with pytest.raises(
        DimmerError, match=rf'{section}.epochs: \[{section}\] is for data.task = "classes"; set it to 0'
    ):
        load_recipe(path)
