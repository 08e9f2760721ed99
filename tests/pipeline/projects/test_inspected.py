# SPDX-License-Identifier: Apache-2.0
"""What data looks like is guessed, and every guess is a recipe that reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.projects.inspected import inspect_data, own_samples
from dimmer.pipeline.projects.told import Told
from tests.own_data import RATE, cache, write_images, write_recordings, write_saved, write_steps
from tests.pipeline.data.readers.test_saved import png, wav, write

__all__ = ["cache"]


def guess(place: Path, **told: str | int) -> DataSection:
    return inspect_data(str(place), Told(**told))  # type: ignore[arg-type]


def test_images(tmp_path: Path) -> None:
    write_images(tmp_path / "d", {"b": 5, "a": 5})
    found = guess(tmp_path / "d")
    assert (found.kind, found.classes, found.colour) == ("images", ("a", "b"), "rgb")
    for name in ("a", "b"):
        (tmp_path / "e" / "train" / name).mkdir(parents=True)
        Image.new("L", (100, 90)).save(tmp_path / "e" / "train" / name / "1.png")
    found = guess(tmp_path / "e")
    assert (found.classes, found.colour, found.size) == (("a", "b"), "grey", (32, 32))


def test_recordings(tmp_path: Path) -> None:
    write_recordings(tmp_path / "d", {"low": 8, "high": 8})
    found = guess(tmp_path / "d", group=r"(s\d)_")
    assert (found.kind, found.classes, found.rate, found.group) == ("recordings", ("high", "low"), RATE, r"(s\d)_")
    # A quarter of a second, in whole frames.
    assert found.window == 496


def test_steps(tmp_path: Path) -> None:
    write_steps(tmp_path / "imu.csv")
    found = guess(tmp_path / "imu.csv", window=16)
    assert found.channels == ("ax", "ay", "az")
    assert (found.label, found.group, found.classes, found.window) == (("activity",), "subject", ("rest", "walk"), 16)


def test_rows_of_windows_values_and_folders(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [",".join([*(f"v{n}" for n in range(40)), "class"])]
    rows += [",".join([*(f"{v:.3f}" for v in rng.standard_normal(40)), f"{n % 3}.0"]) for n in range(12)]
    (tmp_path / "beats.csv").write_text("\n".join(rows))
    found = guess(tmp_path / "beats.csv")
    assert (found.rows, found.window, found.channels, found.classes) == ("windows", 40, ("value",), ("0", "1", "2"))
    (tmp_path / "load.csv").write_text("time,force,kg\n" + "\n".join(f"{n},{n * 2},{n / 7:.3f}" for n in range(60)))
    found = guess(tmp_path / "load.csv", label="kg")
    assert (found.task, found.classes, found.label, found.channels) == ("values", ("kg",), ("kg",), ("force",))
    for name in ("rest", "walk"):
        (tmp_path / "d" / name).mkdir(parents=True)
        (tmp_path / "d" / name / "1.csv").write_text("t,ax\n" + "\n".join(f"{n},{n}" for n in range(200)))
    found = guess(tmp_path / "d")
    assert (found.classes, found.label, found.channels) == (("rest", "walk"), (), ("ax",))


def test_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", x=np.zeros((6, 20, 3)), y=np.arange(6) % 2)
    found = guess(tmp_path / "w.npz")
    assert (found.kind, found.window, found.channels, found.classes) == ("windows", 20, ("c0", "c1", "c2"), ("0", "1"))


def test_the_data_is_read_and_its_path_counts_from_the_recipe(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "d", {"dark": 6, "light": 6})
    found = own_samples("d", Told(), Path("door/models/door"))
    assert (found.section.path, found.samples) == ("../../../d", 12)
    data = OwnData(found.section, tmp_path / "door" / "models" / "door")
    assert data.place == tmp_path / "d"


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (
            {"label": "kind"},
            "--label kind is not for a folder of images: leave it out, and give each class a sub-folder",
        ),
        ({"task": "values"}, "--task values is not for a folder of images"),
        ({"window": 3}, "--window 3 is not for a folder of images: leave it out, as an image has no time steps"),
    ],
)
def test_what_a_folder_of_images_cannot_take_is_refused(tmp_path: Path, told: dict[str, str | int], says: str) -> None:
    write_images(tmp_path / "d", {"b": 5, "a": 5})
    with pytest.raises(DimmerError, match=says):
        guess(tmp_path / "d", **told)


def test_classes_and_files_that_are_left_out_are_told(tmp_path: Path, cache: Path) -> None:
    write_images(tmp_path / "d", {"dark": 9, "light": 9})
    (tmp_path / "d" / "ash").mkdir()
    (tmp_path / "d" / "ash" / "1.webp").write_bytes(b"x")
    assert own_samples(str(tmp_path / "d"), Told(), tmp_path / "models" / "m").notes == (
        "no class, as no file in them is read: ash",
        "left out: 1 file or sample, the first: ash/1.webp: ends in none of .bmp, .jpeg, .jpg, .png",
    )


def test_before_there_is_a_recipe_nobody_is_sent_to_it(tmp_path: Path, cache: Path) -> None:
    x = np.random.default_rng(0).standard_normal((40, 8, 2))
    np.savez(tmp_path / "w.npz", x=x, y=np.arange(40))
    with pytest.raises(DimmerError, match=r"learnt with --task values; no recipe is written yet, so mend the data$"):
        own_samples(str(tmp_path / "w.npz"), Told(), tmp_path / "models" / "m")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: None, "is not there: give a folder, a file, or module:function"),
        (lambda folder: folder.mkdir(), r"has no file that ends in \.bmp, \.csv"),
        (lambda folder: write_images(folder, {"a": 2}), "has 1 sub-folders with files"),
        (lambda folder: folder.write_text("x"), "is no folder, and ends in none of"),
    ],
)
def test_what_cannot_be_guessed_is_one_line(tmp_path: Path, make: object, says: str) -> None:
    make(tmp_path / "d")  # type: ignore[operator]
    with pytest.raises(DimmerError, match=says) as caught:
        guess(tmp_path / "d")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "cannot be read"),
        ("a,label\n1,x\n", "there are 1 different labels"),
        ("a,b\nx,y\n", "has no column of numbers"),
        ("a,b\n1,2\n", "sub-folders"),
    ],
)
def test_so_is_a_table_that_cannot(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(DimmerError, match=says):
        guess(tmp_path / "t.csv")


def test_what_hugging_face_saved(tmp_path: Path) -> None:
    for name, make, kind in (("i", png, "Image"), ("s", wav, "Audio")):
        write(tmp_path / name, make, kind)
    write(tmp_path / "w", lambda level, seed: [[level, seed]] * 4, "List")
    images, sounds, windows = (inspect_data(str(tmp_path / name), Told(group="who")) for name in "isw")
    assert {(one.column, one.label, one.classes, one.group) for one in (images, sounds, windows)} == {
        ("it", ("label",), ("dark", "bright"), "who")
    }
    assert (images.kind, images.colour, sounds.kind, sounds.rate, sounds.window) == (
        "images",
        "rgb",
        "recordings",
        2000,
        480,
    )
    assert (windows.kind, windows.window, windows.channels) == ("windows", 4, ("c0", "c1"))
    with pytest.raises(DimmerError, match="column of classes: name it with --label"):
        inspect_data(str(tmp_path / "i"), Told(label="kind"))
    for name, told, says in (
        ("i", Told(window=3), "--window 3 is not for images"),
        ("w", Told(window=3), "--window 3 is not for saved windows"),
        ("s", Told(task="values"), "--task values is not for a column of classes"),
    ):
        with pytest.raises(DimmerError, match=says):
            inspect_data(str(tmp_path / name), told)


def test_the_normal_class_comes_first(tmp_path: Path) -> None:
    write_steps(tmp_path / "imu.csv")
    found = inspect_data(str(tmp_path / "imu.csv"), Told(window=16, normal="walk"))
    assert (found.task, found.classes) == ("anomaly", ("walk", "rest"))
    with pytest.raises(DimmerError, match="--normal fine: there is no such class; there are rest, walk"):
        inspect_data(str(tmp_path / "imu.csv"), Told(normal="fine"))


def test_rows_that_hold_no_file_are_one_line(tmp_path: Path) -> None:
    write_saved(
        tmp_path / "d",
        {"it": [{"bytes": None, "path": "/nowhere/1.png"}] * 2, "label": [0, 1]},
        {"it": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["dark", "bright"]}},
    )
    with pytest.raises(DimmerError, match="it: the row holds no file, only its path"):
        inspect_data(str(tmp_path / "d"), Told())


def test_lists_that_are_no_windows_are_one_line(tmp_path: Path) -> None:
    features = {"it": {"_type": "List"}, "label": {"_type": "ClassLabel", "names": ["dark", "bright"]}}
    ragged: list[list[float]] = [[1.0, 2.0], [3.0]]
    for name, cells in (("ragged", [ragged, ragged]), ("empty", [[], []]), ("inner", [[[]], [[]]])):
        write_saved(tmp_path / name, {"it": cells, "label": [0, 1]}, features)
        with pytest.raises(
            DimmerError, match=r"'it' is no \[time\] and no \[time,channels\]: give every row"
        ) as caught:
            inspect_data(str(tmp_path / name), Told())
        assert "\n" not in str(caught.value)
    for name, first in (("e", []), ("r", ragged)):
        write_saved(tmp_path / name, {"it": [first, [[1.0, 2.0]] * 3], "label": [0, 1]}, features)
        found = inspect_data(str(tmp_path / name), Told())
        assert (found.window, found.channels) == (3, ("c0", "c1"))
