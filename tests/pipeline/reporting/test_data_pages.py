# SPDX-License-Identifier: Apache-2.0
"""The sheet of samples, and the tables beside it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.data.prepare import Facts
from dimmer.pipeline.data.readers.sample import Problem
from dimmer.pipeline.reporting.data_pages import EACH, contact_sheet, write_pages


def split(shape: tuple[int, ...], labels: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Split:
    images = np.random.default_rng(0).integers(0, 256, (len(labels), *shape), dtype=np.uint8)
    return Split(images, labels)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_row_a_class(channels: int) -> None:
    images = split((8, 10, channels), np.arange(40) % 2)
    sheet = contact_sheet(images, 2)
    assert sheet.shape == (2 * 10 + 2, EACH * 12 + 2, 3)
    if channels == 3:
        assert (sheet[2:10, 2:12] == images.images[0]).all()
        assert (sheet[12:20, 2:12] == images.images[1]).all()


def test_series_are_curves() -> None:
    flat = Split(np.full((3, 1, 100, 2), 128, np.uint8), np.zeros((3, 1), np.float32))
    sheet = contact_sheet(flat, 1)
    rows = np.flatnonzero((sheet[:, 2:98] != 235).any(2).all(1) & (sheet[:, 2:98] != 255).any(2).all(1))
    assert len(rows) == 1


def test_what_is_written(tmp_path: Path) -> None:
    part = split((8, 8, 1), np.arange(6) % 2)
    data = Dataset("x", ("a", "b"), (8, 8, 1), part, part, part)
    facts = Facts({"train": ("a, b.png",), "val": ("2",), "test": ()}, (Problem("c.png", "is empty"),), None)
    assert [path.name for path in write_pages(data, None, tmp_path / "known")] == ["samples.png"]
    paths = write_pages(data, facts, tmp_path / "own")
    assert Image.open(paths[0]).size == (EACH * 10 + 2, 22)
    assert list(csv.reader(paths[1].open())) == [["sample", "split"], ["a, b.png", "train"], ["2", "val"]]
    assert paths[2].read_text() == "c.png: is empty\n"


def test_several_inputs_of_a_sample_are_below_each_other() -> None:
    inputs = ((8, 10, 1), (1, 20, 2))
    images = split((1, 1, 120), np.zeros((30, 5), np.float64))
    sheet = contact_sheet(images, 2, inputs)
    # A curve is 48 pixels high.
    assert sheet.shape[0] == 3 * (8 + 48 + 2) + 2
    assert (sheet[2:10, 2:12, 0] == images.images[0].reshape(-1)[:80].reshape(8, 10)).all()
