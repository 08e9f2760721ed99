# SPDX-License-Identifier: Apache-2.0
"""Broken files of every kind in somebody's data are named and left out, or refused in one line: never a traceback."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.readers import images, recordings, saved, tables
from dimmer.pipeline.data.readers.sample import Problem, Sample
from tests.own_data import RATE, own, steps_section, write_saved, write_steps

FEW, MANY = 40, 1000


def whole_files(folder: Path) -> dict[str, list[bytes]]:
    rng = np.random.default_rng(3)
    picture = Image.fromarray(rng.integers(0, 255, (24, 20, 3), dtype=np.uint8))
    folder.mkdir(exist_ok=True)
    found: dict[str, list[bytes]] = {".png": [], ".jpg": [], ".bmp": [], ".wav": [], ".npz": [], ".csv": []}
    for ending, kind in ((".png", "PNG"), (".jpg", "JPEG"), (".bmp", "BMP")):
        for mode in ("RGB", "L"):
            file = io.BytesIO()
            picture.convert(mode).save(file, format=kind)
            found[ending].append(file.getvalue())
    for codes in ((rng.uniform(-1, 1, 400) * 32767).astype(np.int16), rng.uniform(-1, 1, (400, 2)).astype(np.float32)):
        file = io.BytesIO()
        wavfile.write(file, RATE, codes)
        found[".wav"].append(file.getvalue())
    file = io.BytesIO()
    np.savez_compressed(
        file, x=rng.standard_normal((3, 16, 3)), activity=["rest", "walk", "rest"], subject=["a", "b", "a"]
    )
    found[".npz"].append(file.getvalue())
    write_steps(folder / "whole.csv", subjects=1, each=1)
    found[".csv"].append((folder / "whole.csv").read_bytes())
    try:
        from pyarrow import csv, parquet
    except ModuleNotFoundError:
        return found
    parquet.write_table(csv.read_csv(folder / "whole.csv"), folder / "whole.parquet")
    found[".parquet"] = [(folder / "whole.parquet").read_bytes()]
    return found


def broken(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut, bits turned over, bytes lost or filled in, other bytes at the head where the sizes stand."""
    data = bytearray(content)
    kind, place = int(rng.integers(0, 6)), int(rng.integers(0, len(data)))
    if kind == 0:
        return bytes(data[:place])
    if kind == 1:
        for where in rng.integers(0, len(data), 1 + len(data) // 50):
            data[where] ^= 1 << int(rng.integers(0, 8))
    elif kind == 2:
        del data[place : place + int(rng.integers(1, 40))]
    elif kind == 3:
        data[place:place] = rng.bytes(int(rng.integers(1, 40)))
    elif kind == 4:
        head = int(rng.integers(0, min(60, len(data))))
        data[head : head + 4] = b"\xff\xff\xff\x7f" if rng.random() < 0.5 else b"\0\0\0\0"
    else:
        data[:] = rng.bytes(len(data))
    return bytes(data)


def read_all(folder: Path, count: int) -> tuple[int, int]:
    """How many files there were, and how many samples and problems came of them."""
    rng, whole = np.random.default_rng(11), whole_files(folder)
    endings = sorted(whole)
    for number in range(count):
        ending = endings[number % len(endings)]
        path = folder / ("rest", "walk")[number % 2] / f"{number}{ending}"
        path.parent.mkdir(exist_ok=True)
        source = whole[ending][int(rng.integers(0, len(whole[ending])))]
        path.write_bytes(broken(source, rng))
    (folder / "whole.csv").unlink()
    (folder / "whole.parquet").unlink(missing_ok=True)
    classes = ("rest", "walk")
    readers: list[tuple[Callable[..., Iterator[Sample]], DataSection]] = [
        (images.samples, DataSection("images", ".", classes=classes)),
        (recordings.samples, DataSection("recordings", ".", classes=classes, window=160, rate=RATE)),
        (tables.samples, steps_section(path=".")),
    ]
    read, problems = 0, list[Problem]()
    for reader, section in readers:
        for sample in reader(own(folder, section), problems):
            assert sample.array.shape == section.shape.image_shape
            read += 1
    for problem in problems:
        assert "\n" not in str(problem)
    return read, len(problems)


def read_saved(folder: Path, count: int) -> tuple[int, int, int]:
    """Of data sets saved by datasets, of which a file is broken: samples, problems, and sets that are refused."""
    rng = np.random.default_rng(12)
    names = {"names": ["rest", "walk"], "_type": "ClassLabel"}
    cells = [{"bytes": content, "path": None} for content in whole_files(folder)[".png"] * 3]
    columns: dict[str, list[Any]] = {
        "it": cells,
        "label": [n % 2 for n in range(len(cells))],
        "who": [f"s{n}" for n in range(len(cells))],
    }
    write_saved(folder / "d", columns, {"it": {"_type": "Image"}, "label": names, "who": {}}, shards=2)
    section = DataSection("images", "d", classes=("rest", "walk"), label=("label",), group="who", column="it")
    paths, read, problems, refused = sorted((folder / "d").iterdir()), 0, list[Problem](), list[str]()
    for _ in range(count):
        path = paths[int(rng.integers(0, len(paths)))]
        whole = path.read_bytes()
        path.write_bytes(broken(whole, rng))
        try:
            for sample in saved.samples(own(folder, section), problems):
                assert sample.array.shape == section.shape.image_shape
                read += 1
        except DimmerError as error:
            refused.append(str(error))
        path.write_bytes(whole)
    for text in (*map(str, problems), *refused):
        assert "\n" not in text
    return read, len(problems), len(refused)


def test_forty_of_them(tmp_path: Path) -> None:
    read, problems = read_all(tmp_path, FEW)
    assert problems >= FEW // 4
    assert read + problems >= FEW // 2
    assert min(read_saved(tmp_path / "saved", FEW)) > FEW // 4


@pytest.mark.slow
def test_a_thousand_of_them(tmp_path: Path) -> None:
    read, problems = read_all(tmp_path, MANY)
    assert problems >= MANY // 4
    assert read + problems >= MANY // 2
    assert min(read_saved(tmp_path / "saved", MANY)) > MANY // 4
