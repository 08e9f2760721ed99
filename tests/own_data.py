# SPDX-License-Identifier: Apache-2.0
"""Small data sets as somebody has them: folders of images and recordings, tables of windows."""

from __future__ import annotations

import csv
import json
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.pipeline.data.own import DataSection, OwnData

RATE = 2000
WINDOW = 16
CHANNELS = ("ax", "ay", "az")

TRAIN = """
[train]
epochs = 1
batch = 8
lr = 0.1
momentum = 0.9
weight_decay = 5e-4
warmup = 0.1
alpha = 0.5
temperature = 2.0
seed = 1
"""


def write_images(folder: Path, counts: Mapping[str, int], seed: int = 0) -> None:
    """A sub-folder of images a class: PNG, JPEG and BMP of several sizes and modes, each class as bright."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    for level, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            height, width = rng.integers(10, 40, 2)
            pixels = np.clip(rng.normal(60 + 120 * level, 20, (height, width, 3)), 0, 255).astype(np.uint8)
            mode, ending = (("RGB", "png"), ("L", "jpg"), ("P", "png"), ("RGBA", "png"), ("RGB", "bmp"))[number % 5]
            Image.fromarray(pixels).convert(mode).save(folder / name / f"{number}.{ending}")


def png_of(grey: int, side: int = 8) -> bytes:
    """A PNG of one grey."""
    from PIL import Image

    file = BytesIO()
    Image.new("L", (side, side), grey).save(file, "PNG")
    return file.getvalue()


def write_shard(path: Path, members: Mapping[str, bytes]) -> None:
    """A tar archive of these files, sorted by their names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in sorted(members.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, BytesIO(content))


def write_recordings(folder: Path, counts: Mapping[str, int], seed: int = 0) -> None:
    """A sub-folder of WAVs a class, of speakers s0 to s4, in all codes, of other rates, mono and stereo."""
    from scipy.io import wavfile

    rng = np.random.default_rng(seed)
    for pitch, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            rate = (RATE, 2 * RATE)[number % 2]
            time = np.arange(rate // 4) / rate
            sound = np.clip(
                0.5 * np.sin(2 * np.pi * 100 * (1 + 3 * pitch) * time) + rng.normal(0, 0.1, len(time)), -1, 1
            )
            codes = (
                (sound * 32767).astype(np.int16),
                (sound * 127 + 128).astype(np.uint8),
                sound.astype(np.float32),
                (sound * 2147483647).astype(np.int32),
            )[number % 4]
            stereo = np.stack([codes, codes], 1) if number % 3 == 0 else codes
            wavfile.write(folder / name / f"s{number % 5}_{number}.wav", rate, stereo)


def write_steps(path: Path, subjects: int = 6, each: int = 3, seed: int = 0) -> None:
    """A CSV file, a row a time step: windows of two activities of some subjects."""
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*CHANNELS, "activity", "subject"])
        for subject in range(subjects):
            for size, activity in ((0.2, "rest"), (3.0, "walk")):
                for values in size * rng.standard_normal((WINDOW * each, 3)) + (0, 0, 9.8):
                    rows.writerow([*(f"{value:.4f}" for value in values), activity, f"p{subject}"])


def steps_section(**changes: Any) -> DataSection:
    """Of what `write_steps` writes, as `imu.csv`."""
    given: dict[str, Any] = {
        "kind": "windows",
        "path": "imu.csv",
        "classes": ("rest", "walk"),
        "window": WINDOW,
        "channels": CHANNELS,
        "label": ("activity",),
        "group": "subject",
    }
    return DataSection(**{**given, **changes})


def own(folder: Path, section: DataSection) -> OwnData:
    """The data as a recipe in this folder has it."""
    return OwnData(section, folder)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_saved(folder: Path, columns: Mapping[str, list[Any]], features: Mapping[str, Any], shards: int = 1) -> None:
    """A data set as ``save_to_disk`` of Hugging Face's datasets writes it."""
    import pyarrow

    folder.mkdir(parents=True, exist_ok=True)
    table = pyarrow.table(dict(columns))
    each = -(-len(table) // shards)
    names = [f"data-{number:05}-of-{shards:05}.arrow" for number in range(shards)]
    for number, name in enumerate(names):
        part = table.slice(number * each, each)
        with pyarrow.OSFile(str(folder / name), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(part)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": dict(features)}))
