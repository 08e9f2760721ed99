# SPDX-License-Identifier: Apache-2.0
"""Tables and arrays: all files have a say, and what is guessed is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.data.prepare import prepared
from dimmer.pipeline.projects.inspected import own_samples
from dimmer.pipeline.projects.recipes import recipe_text
from dimmer.pipeline.projects.tabled import of_tables
from dimmer.pipeline.projects.told import Told
from tests.own_data import cache, write_steps

__all__ = ["cache"]


def save(path: Path, **arrays: object) -> Path:
    path.parent.mkdir(exist_ok=True)
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def guess(place: Path, **told: str | int) -> DataSection:
    files = tuple(sorted(place.iterdir())) if place.is_dir() else (place,)
    return of_tables(place, files, Told(**told))  # type: ignore[arg-type]


def wide(path: Path, count: int, each: int = 1) -> Path:
    """A table as pandas writes it, with its index and a name beside 40 values; so many rows are of one class."""
    values = np.random.default_rng(0).standard_normal((count, 40))
    rows = [f"{n},{','.join(map(str, row))},ann,{'ab'[n // each % 2]}" for n, row in enumerate(values)]
    path.write_text("\n".join([f",{','.join(f'v{n}' for n in range(40))},name,label", *rows]))
    return path


def test_classes_are_those_of_all_files(tmp_path: Path, cache: Path) -> None:
    x = np.random.default_rng(0).standard_normal((40, 8, 2))
    for name, first in (("a", 0), ("b", 1)):
        save(tmp_path / "d" / f"{name}.npz", x=x + first, y=np.arange(40) % 2 + first)
    found = own_samples(str(tmp_path / "d"), Told(), tmp_path / "models" / "m")
    assert (found.section.classes, found.samples, found.notes) == (("0", "1", "2"), 80, ())


def test_the_file_that_lacks_something_is_named(tmp_path: Path) -> None:
    x = np.zeros((4, 8, 2))
    save(tmp_path / "d" / "a.npz", x=x, y=[0, 1, 0, 1])
    save(tmp_path / "d" / "b.npz", x=x)
    with pytest.raises(DimmerError, match=r"b\.npz cannot be read \(it has no array 'y'\): mend it, or leave it out"):
        guess(tmp_path / "d")
    write_steps(tmp_path / "e" / "a.csv")
    (tmp_path / "e" / "b.csv").write_text("ax,ay,az\n1,2,3\n")
    with pytest.raises(DimmerError, match=r"b\.csv cannot be read \(it has no column 'activity'\)"):
        guess(tmp_path / "e")
    with pytest.raises(DimmerError, match=r"a\.csv has no column 'kg'; it has ax, ay, az, activity, subject: name one"):
        guess(tmp_path / "e", label="kg")


def test_a_row_a_window_beside_numbers_of_rows_and_names_is_read(tmp_path: Path, cache: Path) -> None:
    found = own_samples(str(wide(tmp_path / "wide.csv", 60)), Told(), tmp_path / "models" / "m")
    assert found.section.columns == tuple(f"v{n}" for n in range(40))
    assert (found.section.rows, found.section.window, found.samples) == ("windows", 40, 60)
    assert 'columns = ["v0", "v1",' in recipe_text(found)


def test_steps_where_a_window_is_told(tmp_path: Path, cache: Path) -> None:
    section = guess(wide(tmp_path / "eeg.csv", 600, each=100), window=20)
    assert (section.rows, section.window, len(section.channels), section.columns) == ("steps", 20, 40, ())
    found = prepared(OwnData(section, tmp_path)).dataset
    assert len(found.train) + len(found.val) + len(found.test) == 30


@pytest.mark.parametrize(
    ("arrays", "told", "says"),
    [
        ({"y": 3}, {}, "'y' has not one entry for each of 4 samples: give it that many"),
        ({"y": [0, 1]}, {}, "'y' has not one entry for each of 4 samples"),
        ({"y": [0, 1, 0, 1], "group": 3}, {}, "'group' has not one entry for each of 4 samples"),
        ({"y": [0, 1, 0, 1], "split": ["a", "b", "a", "b"]}, {}, "'split' would say .* has 'a', .* another name"),
        ({"y": [0, 1, 0, 1]}, {"window": 3}, "--window 3 is not for arrays: leave it out"),
        (
            {"y": [0, 1, 0, 1], "z": [0, 1, 0, 1]},
            {"label": "y,z", "task": "values"},
            "give one word for each of the 2 labels",
        ),
    ],
)
def test_what_cannot_be_taken_is_one_line(
    tmp_path: Path, arrays: dict[str, object], told: dict[str, str | int], says: str
) -> None:
    place = save(tmp_path / "w.npz", x=np.zeros((4, 8, 2)), **arrays)
    with pytest.raises(DimmerError, match=says) as caught:
        guess(place, **told)
    assert "\n" not in str(caught.value)


def test_a_split_that_tells_something_else_is_refused(tmp_path: Path) -> None:
    for words, says in (("train test", ""), ("train fold0", "'split' would say .* has 'fold0'")):
        rows = [f"{n},{n},{'ab'[n % 2]},{words.split()[n % 2]}" for n in range(40)]
        (tmp_path / "t.csv").write_text("\n".join(["x,y,label,split", *rows]))
        if says:
            with pytest.raises(DimmerError, match=says):
                guess(tmp_path / "t.csv")
        else:
            assert guess(tmp_path / "t.csv").split == "split"


def test_the_task_that_is_told(tmp_path: Path) -> None:
    place = save(tmp_path / "w.npz", x=np.zeros((60, 8, 2)), y=np.arange(60) % 30)
    assert (guess(place).task, len(guess(place).classes)) == ("classes", 30)
    section = guess(place, task="values")
    assert (section.task, section.classes, section.label) == ("values", ("y",), ("y",))
    for name in "ab":
        write_steps(tmp_path / "d" / f"{name}.csv")
    (tmp_path / "d" / "a.csv").write_text("ax\n1\n")
    with pytest.raises(DimmerError, match="--task values is not for sub-folders as classes"):
        guess(tmp_path / "d", task="values")


def test_one_of_several_labels_may_be_whole_numbers(tmp_path: Path) -> None:
    rows = [f"{n % 7}.5,{n},{'pq'[n % 2]},{n}" for n in range(60)]
    (tmp_path / "d.csv").write_text("\n".join(["x,z,kind,steps", *rows]))
    found = guess(tmp_path / "d.csv", label="kind,steps", task="classes,values")
    assert [(one.task, one.classes) for one in found.outputs] == [("classes", ("p", "q")), ("values", ("steps",))]
    with pytest.raises(DimmerError, match="--task values: give one word for each of the 2 labels kind, steps"):
        guess(tmp_path / "d.csv", label="kind,steps", task="values")


def test_a_group_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,label\n1,a\n2,b\n")
    with pytest.raises(DimmerError, match=r"has no column 'who'; it has x, label: name one with --group"):
        guess(tmp_path / "d.csv", group="who")
    path = save(tmp_path / "d" / "a.npz", x=np.zeros((4, 8, 2)), y=np.arange(4) % 2)
    with pytest.raises(DimmerError, match=r"has no array 'who'; it has x, y: say --group"):
        guess(path, group="who")
