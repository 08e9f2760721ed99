# SPDX-License-Identifier: Apache-2.0
"""A function of the user's own gives the data."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.prepare import own_hash, prepared
from dimmer.pipeline.data.readers import entry
from tests.own_data import cache, own

__all__ = ["cache"]

FUNCTION = """
import numpy as np
from helper_of_mine import SIZE

def load():
    rng = np.random.default_rng(0)
    return {"x": rng.integers(0, 256, (30, SIZE, SIZE, 2), dtype=np.uint8), "y": np.arange(30) % 2}
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    entry._called.cache_clear()
    yield
    entry._called.cache_clear()
    for name in ("data_of_mine", "helper_of_mine"):
        sys.modules.pop(name, None)


def section(path: str = "data_of_mine:load") -> DataSection:
    return DataSection("python", path, classes=("0", "1"), channels=("a", "b"), size=(4, 4), label=("y",))


def write(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data_of_mine.py").write_text(text)
    (folder / "helper_of_mine.py").write_text("SIZE = 4\n")


@pytest.mark.parametrize("place", ["models/mine", "."])
def test_its_module_lies_beside_the_recipe_or_in_the_project(tmp_path: Path, cache: Path, place: str) -> None:
    write(tmp_path / place, FUNCTION)
    (tmp_path / "dimmer.toml").write_text("[project]\n")
    (tmp_path / "models" / "mine").mkdir(parents=True, exist_ok=True)
    before = sys.path[:]
    data = own(tmp_path / "models" / "mine", section())
    found = prepared(data).dataset
    assert found.image_shape == (4, 4, 2)
    assert len(found.train) + len(found.val) + len(found.test) == 30
    assert sys.path == before
    assert entry.files(data) == (tmp_path / place / "data_of_mine.py",)


def test_other_data_is_another_data_set(tmp_path: Path) -> None:
    write(tmp_path, FUNCTION)
    data = own(tmp_path, section())
    before, contents = own_hash(data), entry.contents(data)
    entry._called.cache_clear()
    # Of another length: what Python compiled before counts as long as length and second of the file are the same.
    (tmp_path / "helper_of_mine.py").write_text("SIZE = 12\n")
    for name in ("data_of_mine", "helper_of_mine"):
        del sys.modules[name]
    assert entry.contents(data) != contents
    assert own_hash(data) != before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "ModuleNotFoundError: No module named 'data_of_mine'"),
        ("x = 1\n", "AttributeError: module 'data_of_mine' has no attribute 'load'"),
        ("def load():\n    return 1 / 0\n", r"ZeroDivisionError: division by zero \(data_of_mine.py, line 2\)"),
        ("def load():\n    return [1]\n", "load gives list, not a mapping of arrays"),
        ("def load(:\n", "SyntaxError"),
        ("import sys\nsys.exit(0)\n", r"SystemExit: 0 \(data_of_mine.py, line 2\)"),
        ("def load():\n    raise SystemExit\n", r"SystemExit: SystemExit \(data_of_mine.py, line 2\)"),
        ("def load():\n    return {'y': [1]}\n", "it has no array 'x'"),
        ("def load():\n    return {'x': [[[1, 2], [3]]], 'y': [1]}\n", "ValueError"),
        (
            "def load():\n    return {'x': [[1], [2]], 'y': [1, 2], 'z': [[1], [2]]}\n",
            r"'z' has several .* name both in \[\[data.inputs\]\]",
        ),
        (
            "def load():\n    return {'x': [[1], [2]], 'y': [[1, 2], [2, 1]]}\n",
            "'y' has several .* labels into arrays of",
        ),
        (
            "def load():\n    return {'x': {'a': [1], 'b': [2]}, 'y': [1]}\n",
            "'x' holds several arrays: .* own name",
        ),
    ],
)
def test_what_goes_wrong_is_one_line(tmp_path: Path, cache: Path, text: str | None, says: str) -> None:
    if text is not None:
        write(tmp_path, text)
    with pytest.raises(DimmerError, match=says) as caught:
        prepared(own(tmp_path, section()))
    assert "\n" not in str(caught.value)
    assert "data_of_mine:load" in str(caught.value)
