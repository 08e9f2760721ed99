# SPDX-License-Identifier: Apache-2.0
"""CSV and Parquet files as columns."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from dimmer.pipeline.data.readers.columns import names_of_columns, numbers, read_columns, text


@pytest.mark.parametrize(
    "content", ["a,b\n1,x\n2,y\n", "a; b\n1; x\n\n2; y\n", "﻿a\tb\r\n1\tx\r\n2\ty\r\n", '"a","b"\n"1","x"\n2,"y"']
)
def test_delimiters_quotes_and_marks(tmp_path: Path, content: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode())
    assert names_of_columns(path) == ("a", "b")
    found = read_columns(path)
    assert numbers(found["a"]).tolist() == [1, 2]
    assert found["b"].tolist() == ["x", "y"]
    assert list(read_columns(path, ["b"])) == ["b"]


def test_parquet_is_the_same(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow, see requirements/data.txt")
    from pyarrow import parquet

    path = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table({"a": [1.5, None], "b": ["x", "y"]}), path)
    assert names_of_columns(path) == ("a", "b")
    found = read_columns(path, ["a", "b"])
    assert np.isnan(numbers(found["a"])).tolist() == [False, True]
    assert [text(value) for value in found["b"]] == ["x", "y"]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="it has no column 'c'"):
        read_columns(tmp_path / "t.csv", ["a", "c"])


@pytest.mark.parametrize("content", [b"", b"\n", b"\0\0\0\n1"])
def test_what_is_no_table_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match="its first line names no columns"):
        read_columns(tmp_path / "t.csv")


def test_rows_that_are_too_short_have_no_value(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1\n2,3\n")
    assert np.isnan(numbers(read_columns(tmp_path / "t.csv")["b"])).tolist() == [True, False]


@pytest.mark.parametrize("row", ["1,5,2,5", "0,1.5,2.5"])
def test_rows_that_are_too_long_are_told(tmp_path: Path, row: str) -> None:
    (tmp_path / "t.csv").write_text(f'a,b\n1,2,\n"3\n",4\n{row}\n')
    cells = len(row.split(","))
    with pytest.raises(ValueError, match=rf"^line 5 has {cells} cells, the first line names 2$"):
        read_columns(tmp_path / "t.csv", ["a"])


def test_empty_cells_behind_the_last_name_are_none(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2,\n3,4, ,\n")
    assert numbers(read_columns(tmp_path / "t.csv")["b"]).tolist() == [2, 4]


def test_a_name_that_is_there_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,a,,\n1,2,3\n")
    for wanted in (["a"], []):
        with pytest.raises(ValueError, match="its first line names 'a' twice"):
            read_columns(tmp_path / "t.csv", wanted)
    assert list(read_columns(tmp_path / "t.csv", ["b"])) == ["b"]
    (tmp_path / "t.csv").write_text("a,,\n1\n")
    assert "a" in read_columns(tmp_path / "t.csv")


def test_labels_are_written_as_people_write_them() -> None:
    values = [None, 1, 1.0, "1", np.float32(2.5), True, b"x ", " walk "]
    assert [text(value) for value in values] == ["", "1", "1", "1", "2.5", "1", "x", "walk"]


def test_a_quotation_mark_that_is_not_closed_is_told(tmp_path: Path) -> None:
    """It took all rows behind it, or those up to the next one, into its cell."""
    path = tmp_path / "t.csv"
    rows = [f"{n},ok" for n in range(9)]
    rows[4] = '4,"24 inch'
    path.write_text("a,note\n" + "\n".join(rows) + "\n")
    with pytest.raises((ValueError, csv.Error)):
        read_columns(path)
    rows[7] = '7,a 3" pipe'
    path.write_text("a,note\n" + "\n".join(rows) + "\n")
    with pytest.raises((ValueError, csv.Error)):
        read_columns(path)
    rows[7] = '7,"ok"'
    path.write_text("a,note\n" + "\n".join(rows) + "\n")
    with pytest.raises((ValueError, csv.Error)):
        read_columns(path)
    rows[4], rows[7] = '4,"24 inch', '7,"'
    path.write_text("a,note\n" + "\n".join(rows) + "\n")
    with pytest.raises(ValueError, match="line 6 has a quotation mark that is closed only behind other rows"):
        read_columns(path)
    path.write_text('a,note\n1,"two\nlines"\n2,ok\n')
    assert read_columns(path)["note"].tolist() == ["two\nlines", "ok"]


def test_what_is_missing_in_parquet_is_as_in_a_csv(tmp_path: Path) -> None:
    """Whole numbers became floats, and what is missing a NaN, which begins a new stretch at every row."""
    pa = pytest.importorskip("pyarrow", reason="needs pip install 'dimmer-nn[data]'")
    from pyarrow import parquet

    columns = {
        "x": pa.array([1.5, None, 2.5]),
        "subject": pa.array([1, None, 3], pa.int64()),
        "label": pa.array(["a", None, "b"]),
        "group": pa.array([1.0, None, 2.0]),
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    found = read_columns(tmp_path / "t.parquet")
    for name, expected in (("subject", ["1", "", "3"]), ("label", ["a", "", "b"]), ("group", ["1", "", "2"])):
        assert [text(value) for value in found[name]] == expected
    assert np.array_equal(numbers(found["x"]), [1.5, np.nan, 2.5], equal_nan=True)
