# SPDX-License-Identifier: Apache-2.0
"""Data sets that Hugging Face's datasets saved on disk."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.data.prepare import own_hash, prepared
from dimmer.pipeline.data.readers import saved
from dimmer.pipeline.data.readers.sample import Problem
from tests.own_data import RATE, cache, write_saved
from tests.pipeline.data.readers.test_heard import HEARD

__all__ = ["cache"]
NAMES = {"names": ["dark", "bright"], "_type": "ClassLabel"}
COMMON = {"classes": ("dark", "bright"), "label": ("label",), "group": "who", "column": "it"}


def png(level: int, seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 60, (9, 8, 3)) + level
    file = BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "png")
    return file.getvalue()


def wav(level: int, seed: int) -> bytes:
    file = BytesIO()
    wavfile.write(file, RATE, np.random.default_rng(seed).integers(-99 - level, 99 + level, 480).astype(np.int16))
    return file.getvalue()


def write(folder: Path, make: Any, kind: str, count: int = 20, shards: int = 2) -> None:
    cells = [make(150 * (n % 2), n) for n in range(count)]
    files = [{"bytes": cell, "path": None} for cell in cells] if kind in ("Image", "Audio") else cells
    columns = {"it": files, "label": [n % 2 for n in range(count)], "who": [f"w{n // 4}" for n in range(count)]}
    write_saved(folder, columns, {"it": {"_type": kind}, "label": NAMES, "who": {"_type": "Value"}}, shards)


def read(data: OwnData) -> tuple[list[Any], list[str]]:
    problems: list[Problem] = []
    return list(saved.samples(data, problems)), list(map(str, problems))


def test_images_with_groups_and_names_of_classes(tmp_path: Path, cache: Path) -> None:
    write(tmp_path / "d", png, "Image")
    data = OwnData(DataSection("images", "d", size=(9, 8), **COMMON), tmp_path)  # type: ignore[arg-type]
    found, problems = read(data)
    assert not problems
    assert [(one.labels, one.group, one.name) for one in found[:2]] == [
        (("dark",), "w0", "data-00000-of-00002.arrow, row 1"),
        (("bright",), "w0", "data-00000-of-00002.arrow, row 2"),
    ]
    assert found[10].name == "data-00001-of-00002.arrow, row 1"
    dataset = prepared(data).dataset
    assert len(dataset.train) + len(dataset.val) + len(dataset.test) == 20
    assert dataset.train.images[dataset.train.labels == 1].min() >= 150


def test_recordings_are_heard(tmp_path: Path, cache: Path) -> None:
    write(tmp_path / "d", wav, "Audio")
    section = DataSection("recordings", "d", window=480, rate=RATE, **COMMON)  # type: ignore[arg-type]
    rows = prepared(OwnData(section, tmp_path, HEARD)).dataset
    assert rows.image_shape == (1, HEARD.rows(480), 12)
    assert prepared(OwnData(section, tmp_path)).dataset.image_shape == (1, 30, 16)


def test_windows(tmp_path: Path) -> None:
    write(tmp_path / "d", lambda level, seed: [[float(level), seed], [1.0, 2.0]], "List", count=4, shards=1)
    section = DataSection("windows", "d", window=2, channels=("x", "y"), **COMMON)  # type: ignore[arg-type]
    found, problems = read(OwnData(section, tmp_path))
    assert not problems
    assert found[1].array.tolist() == [[[150, 1], [1, 2]]]
    assert found[1].array.dtype == np.float32


def test_splits_of_a_dictionary_are_given(tmp_path: Path) -> None:
    def named(*names: str) -> OwnData:
        for name in names:
            write(tmp_path / "d" / name, png, "Image", count=2, shards=1)
        (tmp_path / "d" / "dataset_dict.json").write_text(json.dumps({"splits": names}))
        return OwnData(DataSection("images", "d", **COMMON), tmp_path)  # type: ignore[arg-type]

    data = named("train", "validation_matched", "test-r1")
    assert [one.split for one in read(data)[0]] == ["train"] * 2 + ["val"] * 2 + ["test"] * 2
    before = own_hash(data)
    write(tmp_path / "d" / "test-r1", png, "Image", count=3, shards=1)
    assert own_hash(data) != before
    assert [one.split for one in read(named("all"))[0]] == [""] * 2
    # It was trained on.
    with pytest.raises(DimmerError, match="the split 'holdout' is none of train, val and test: leave it out"):
        read(named("train", "holdout"))


def test_what_is_broken_is_named(tmp_path: Path) -> None:
    write(tmp_path / "d", png, "Image", count=6, shards=3)
    data = OwnData(DataSection("images", "d", **COMMON), tmp_path)  # type: ignore[arg-type]
    shards = sorted((tmp_path / "d").glob("*.arrow"))
    shards[0].write_bytes(shards[0].read_bytes()[:200])
    shards[1].unlink()
    content = bytearray(shards[2].read_bytes())
    at = content.index(b"IDAT")
    content[at : at + 9] = b"damaged!!"
    shards[2].write_bytes(content)
    found, problems = read(data)
    assert len(found) == 1
    assert [text.partition(":")[0] for text in problems] == [
        "data-00000-of-00003.arrow",
        "data-00001-of-00003.arrow",
        "data-00002-of-00003.arrow, row 1",
    ]
    write_saved(tmp_path / "d", {"it": [None], "label": [0], "who": ["a"]}, {"it": {}, "label": NAMES, "who": {}})
    assert "holds no file, only its path" in read(data)[1][0]


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("state.json", "", "state.json cannot be read"),
        ("state.json", "[]", "holds no object"),
        ("state.json", '{"_data_files": ["x"]}', "names no files"),
        ("state.json", '{"_data_files": [{"filename": "../x"}]}', "names no files"),
        ("dataset_info.json", "{}", "are not those of a data set"),
        ("dataset_info.json", '{"features": {"other": {}}}', "has no column it; it has other"),
        ("dataset_dict.json", '{"splits": ["/"]}', "names no splits"),
        ("dataset_dict.json", '{"splits": ["train"]}', "state.json cannot be read"),
    ],
)
def test_what_is_no_saved_data_set_is_one_line(tmp_path: Path, file: str, text: str, says: str) -> None:
    write(tmp_path / "d", png, "Image", count=2, shards=1)
    (tmp_path / "d" / file).write_text(text)
    with pytest.raises(DimmerError) as error:
        read(OwnData(DataSection("images", "d", **COMMON), tmp_path))  # type: ignore[arg-type]
    assert says in str(error.value).replace("'", "")
    assert "\n" not in str(error.value)


def test_files_of_images_and_sounds_alone_are_known_by_what_they_were(tmp_path: Path) -> None:
    """A key that came later is in no hash where it is not used."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.png").write_bytes(b"bytes")
    section = DataSection("images", "d", classes=("a", "b"))
    assert own_hash(OwnData(section, tmp_path)) == "6b0bbbb50f6e7ca67aaf906f760b5d5e6a067cf5da4129436c541cc5b5268bab"
