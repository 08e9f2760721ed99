# SPDX-License-Identifier: Apache-2.0
"""Windows of time series from tables and arrays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.readers.sample import Problem, Sample
from dimmer.pipeline.data.readers.tables import files, samples
from tests.own_data import own, steps_section, write_steps
from tests.several_ends import INPUTS


def read(folder: Path, section: DataSection) -> tuple[list[Sample], list[str]]:
    problems: list[Problem] = []
    return list(samples(own(folder, section), problems)), [str(problem) for problem in problems]


def test_rows_of_one_activity_and_subject_become_windows(tmp_path: Path) -> None:
    write_steps(tmp_path / "imu.csv", subjects=2, each=2)
    found, problems = read(tmp_path, steps_section())
    assert not problems
    assert [(one.name, one.labels[0], one.group) for one in found[:3]] == [
        ("imu.csv, rows 2 to 17", "rest", "p0"),
        ("imu.csv, rows 18 to 33", "rest", "p0"),
        ("imu.csv, rows 34 to 49", "walk", "p0"),
    ]
    assert found[0].array.shape == (1, 16, 3)
    lines = (tmp_path / "imu.csv").read_text().splitlines()
    assert np.allclose(found[2].array[0, 0], [float(cell) for cell in lines[33].split(",")[:3]])


def test_windows_that_overlap_are_one_group_where_none_is_known(tmp_path: Path) -> None:
    write_steps(tmp_path / "imu.csv", subjects=1, each=2)
    found, _ = read(tmp_path, steps_section(group="", step=4))
    assert [one.group for one in found] == ["imu.csv, from row 2"] * 5 + ["imu.csv, from row 34"] * 5
    assert {one.group for one in read(tmp_path, steps_section(group=""))[0]} == {""}


def test_gaps_and_short_ends_are_named(tmp_path: Path) -> None:
    write_steps(tmp_path / "imu.csv", subjects=1, each=2)
    lines = (tmp_path / "imu.csv").read_text().splitlines()
    lines[5] = ",".join(["?", *lines[5].split(",")[1:]])
    (tmp_path / "imu.csv").write_text("\n".join(lines[:-20]))
    found, problems = read(tmp_path, steps_section())
    assert len(found) == 1
    assert problems == [
        "imu.csv, rows 2 to 17: have values that are missing or no numbers",
        "imu.csv, rows 34 to 45: are fewer than a window of 16",
    ]


def test_a_folder_whose_sub_folders_are_classes(tmp_path: Path) -> None:
    for name in ("train/rest", "test/rest", "walk"):
        write_steps(tmp_path / "d" / name / "a.csv", subjects=1, each=1)
    found, problems = read(tmp_path, steps_section(path="d", label=(), group=""))
    assert not problems
    # Who does what is not looked at: 32 rows of a file follow each other.
    assert [(one.labels[0], one.split) for one in found] == [
        ("rest", "test"), ("rest", "test"), ("rest", "train"), ("rest", "train"), ("walk", ""), ("walk", "")
    ]  # fmt: skip


def test_a_row_a_window(tmp_path: Path) -> None:
    rows = ["label," + ",".join(f"v{n}" for n in range(6)), "a,1,2,3,4,5,6", "b,7,8,9,10,11,12"]
    (tmp_path / "w.csv").write_text("\n".join(rows))
    section = DataSection(
        "windows", "w.csv", classes=("a", "b"), window=3, channels=("x", "y"), rows="windows", label=("label",)
    )
    found, problems = read(tmp_path, section)
    assert not problems
    assert found[1].array.tolist() == [[[7, 8], [9, 10], [11, 12]]]


def test_columns_of_a_row_a_window_are_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "1.csv").write_text(",v0,v1,label,who\n0,1,2,a,ann\n")
    (tmp_path / "d" / "2.csv").write_text("who,label,v1,v0\nbob,b,4,3\n")
    (tmp_path / "d" / "3.csv").write_text("label,v0,v2\na,5,6\n")
    section = DataSection(
        "windows", "d", classes=("a", "b"), window=2, channels=("v",), rows="windows", label=("label",),
        columns=("v0", "v1"),
    )  # fmt: skip
    found, problems = read(tmp_path, section)
    assert [one.array.ravel().tolist() for one in found] == [[1, 2], [3, 4]]
    assert problems == ["3.csv: cannot be read (it has no column 'v1')"]
    # Without their names in the recipe the first file's order counts.
    (tmp_path / "d" / "1.csv").write_text("v0,v1,label\n1,2,a\n")
    (tmp_path / "d" / "2.csv").write_text("label,v1,v0\nb,4,3\n")
    assert [one.array.ravel().tolist() for one in read(tmp_path, replace(section, columns=()))[0]] == [[1, 2], [3, 4]]


def test_arrays(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((4, 5, 2))
    x[1, 0, 0] = np.inf
    np.savez(
        tmp_path / "w.npz",
        x=x,
        y=np.array([0, 1, 0, 1]),
        who=np.array(["a", "a", "b", "b"]),
        part=["train", "", "Test", "dev"],
    )
    section = DataSection(
        "windows", "w.npz", classes=("0", "1"), window=5, channels=("x", "y"), label=("y",), group="who", split="part"
    )
    found, problems = read(tmp_path, section)
    assert [(one.labels[0], one.group, one.split) for one in found] == [
        ("0", "a", "train"),
        ("0", "b", "test"),
        ("1", "b", "val"),
    ]
    assert problems == ["w.npz, sample 2: has values that are missing or no numbers"]
    assert np.allclose(found[0].array[0], x[0])


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"y": [0]}, "it has no array 'x'"),
        ({"x": np.zeros((2, 5, 2))}, "it has no array 'y'"),
        ({"x": np.zeros((2, 4, 2)), "y": [0, 1]}, "'x' is [2,4,2], the recipe says 5x2 a sample"),
        ({"x": np.zeros((2, 5, 2)), "y": [0]}, "'y' has not one entry for each of 2 samples"),
        (
            {"x": np.zeros((2, 5, 2)), "y": [0, 1], "image": np.zeros((2, 4))},
            "'image' has several values a sample beside 'x': name both in [[data.inputs]]",
        ),
        ({"x": np.full((2, 5, 2), "a"), "y": [0, 1]}, "'x' holds no numbers"),
        ({"x": np.full((2, 5, 2), None), "y": [0, 1]}, "cannot be read"),
    ],
)
def test_arrays_of_another_shape_are_named(tmp_path: Path, arrays: dict[str, object], says: str) -> None:
    np.savez(tmp_path / "w.npz", **arrays)  # type: ignore[arg-type]
    section = DataSection("windows", "w.npz", classes=("0", "1"), window=5, channels=("x", "y"), label=("y",))
    found, problems = read(tmp_path, section)
    assert not found
    assert len(problems) == 1
    assert says in problems[0]


@pytest.mark.parametrize(
    ("imu", "fits"),
    [
        ((2, 5, 2), True),
        ((2, 1, 5, 2), True),
        ((2, 5, 1, 2), True),
        ((2, 10), True),
        ((2, 2, 5), False),
        ((2, 10, 1, 1), True),
        ((10, 2), False),
    ],
)
def test_one_of_several_inputs_has_its_sides_in_their_order(tmp_path: Path, imu: tuple[int, ...], fits: bool) -> None:
    values = np.arange(np.prod(imu), dtype=np.float32).reshape(imu)
    np.savez(tmp_path / "w.npz", image=np.zeros((2, 6, 4, 1), np.uint8), imu=values, kind=["none", "ring"])
    section = DataSection("windows", "w.npz", classes=("none", "ring"), inputs=INPUTS, label=("kind",))
    found, problems = read(tmp_path, section)
    if fits:
        assert not problems
        assert [one.array.ravel()[24:].tolist() for one in found] == values.reshape(2, 10).tolist()
    else:
        assert not found
        assert len(problems) == 1
        assert "'imu' is [" in problems[0]
        assert "the recipe says" in problems[0]


def test_an_unknown_split_is_told(tmp_path: Path) -> None:
    write_steps(tmp_path / "imu.csv", subjects=1)
    with pytest.raises(DimmerError, match=r"rows 2 to 17: the split 'p0' is none of train, val and test"):
        read(tmp_path, steps_section(group="", split="subject"))


def test_what_is_nowhere_or_no_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"imu.csv is not there: correct \[data\] path"):
        files(own(tmp_path, steps_section()))
    (tmp_path / "imu.xls").touch()
    with pytest.raises(DimmerError, match=r"ends in none of \.csv, \.npz, \.parquet"):
        files(own(tmp_path, steps_section(path="imu.xls")))
    (tmp_path / "d").mkdir()
    with pytest.raises(DimmerError, match="has no file that ends in"):
        files(own(tmp_path, steps_section(path="d")))
