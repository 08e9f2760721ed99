# SPDX-License-Identifier: Apache-2.0
"""Data of one's own as a data set: what is in it, what is left out, and when it is another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data import prepare
from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.data.packed import heads_of
from dimmer.pipeline.data.prepare import FACTS, KEPT, own_hash, prepared
from dimmer.pipeline.data.registry import dataset_hash, dataset_shape, load_dataset
from dimmer.pipeline.data.scale import parts_of
from tests.own_data import cache, own, steps_section, write_images, write_steps
from tests.several_ends import SECTION, write_project

__all__ = ["cache"]

IMAGES = DataSection("images", "pictures", classes=("dark", "light"), size=(8, 8), colour="grey")


def test_a_folder_of_images(tmp_path: Path, cache: Path) -> None:
    write_images(tmp_path / "pictures", {"dark": 20, "light": 11})
    data = own(tmp_path, IMAGES)
    found = prepared(data)
    assert load_dataset(data).image_shape == dataset_shape(data).image_shape == (8, 8, 1)
    sizes = {name: len(names) for name, names in found.facts.names.items()}
    assert sizes == {"train": 21, "val": 5, "test": 5}
    assert found.facts.problems == ()
    assert found.facts.scale is None
    train = found.dataset.train
    assert train.images.dtype == np.uint8
    assert train.images[train.labels == 0].mean() + 60 < train.images[train.labels == 1].mean()
    assert all(
        name.startswith(("dark/", "light/")[label])
        for name, label in zip(found.facts.names["train"], train.labels, strict=True)
    )


def test_it_is_read_once_and_again_where_what_was_kept_is_damaged(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_steps(tmp_path / "imu.csv")
    data = own(tmp_path, steps_section())
    made: list[Path] = []
    real = prepare._make

    def counted(source: OwnData, folder: Path) -> None:
        made.append(folder)
        real(source, folder)

    monkeypatch.setattr(prepare, "_make", counted)
    before = np.array(prepared(data).dataset.train.images)
    after = prepared(data).dataset.train.images
    assert len(made) == 1
    assert (before == after).all()
    (folder,) = [path for path in (cache / "data").iterdir() if path.is_dir()]
    for damage in ("train.npy", "val-labels.npy", FACTS):
        content = (folder / damage).read_bytes()
        (folder / damage).write_bytes(content[: len(content) // 2])
        assert (prepared(data).dataset.train.images == before).all()
    assert len(made) == 4


def test_replaced_added_and_removed_files_make_another_data_set(tmp_path: Path, cache: Path) -> None:
    write_images(tmp_path / "pictures", {"dark": 4, "light": 4})
    data = own(tmp_path, IMAGES)
    first = tmp_path / "pictures" / "dark" / "0.png"
    before, content = dataset_hash(data), first.read_bytes()
    edits: dict[str, Callable[[], object]] = {
        "replaced": lambda: shutil.copy(tmp_path / "pictures" / "light" / "0.png", first),
        "removed": lambda: first.unlink(),
        "renamed": lambda: first.rename(first.with_name("7.png")),
        "of another class": lambda: first.rename(tmp_path / "pictures" / "light" / "9.png"),
    }
    for name, edit in edits.items():
        edit()
        assert own_hash(data) != before, name
        for odd in ("dark/7.png", "light/9.png"):
            (tmp_path / "pictures" / odd).unlink(missing_ok=True)
        first.write_bytes(content)
        assert own_hash(data) == before
    shutil.copy(first, first.with_name("more.png"))
    assert own_hash(data) != before


def test_what_is_no_sample_and_where_the_data_lies_change_nothing(tmp_path: Path, cache: Path) -> None:
    write_images(tmp_path / "pictures", {"dark": 4, "light": 4})
    data = own(tmp_path, IMAGES)
    before = own_hash(data)
    (tmp_path / "pictures" / "README.txt").write_text("mine")
    (tmp_path / "pictures" / "dark" / ".0.png.swp").write_text("mine")
    os.utime(tmp_path / "pictures" / "dark" / "0.png", (1, 1))
    assert own_hash(data) == before
    (tmp_path / "pictures").rename(tmp_path / "moved")
    moved = own(tmp_path, replace(IMAGES, path="moved"))
    assert own_hash(moved) == before
    assert own_hash(own(tmp_path, replace(IMAGES, path="moved", fit="pad"))) != before


@pytest.mark.parametrize("codes", ["a.npz", "b.npz"])
def test_codes_and_values_in_one_folder_are_refused(tmp_path: Path, cache: Path, codes: str) -> None:
    (tmp_path / "d").mkdir()
    x = np.random.default_rng(0).uniform(0, 1000, (20, 8, 2))
    for name in ("a.npz", "b.npz"):
        np.savez(tmp_path / "d" / name, x=x.astype(np.uint8 if name == codes else np.float32), y=np.arange(20) % 2)
    section = DataSection("windows", "d", classes=("0", "1"), window=8, channels=("u", "v"), label=("y",))
    with pytest.raises(DimmerError, match=r"b\.npz, sample 1: an input is uint8 codes in some .*: give one kind"):
        prepared(own(tmp_path, section))


def test_files_of_other_formats_are_named_whenever_they_came(tmp_path: Path, cache: Path) -> None:
    write_images(tmp_path / "pictures", {"dark": 12, "light": 12})
    data = own(tmp_path, IMAGES)
    assert prepared(data).facts.problems == ()
    before = own_hash(data)
    (tmp_path / "pictures" / "dark" / "new.webp").write_bytes(b"x")
    assert list(map(str, prepared(data).facts.problems)) == ["dark/new.webp: ends in none of .bmp, .jpeg, .jpg, .png"]
    assert own_hash(data) == before
    write_steps(tmp_path / "d" / "imu.csv")
    (tmp_path / "d" / "notes.txt").write_text("x")
    problems = prepared(own(tmp_path, steps_section(path="d"))).facts.problems
    assert list(map(str, problems)) == ["notes.txt: ends in none of .csv, .npz, .parquet"]
    assert prepared(own(tmp_path, steps_section(path="d/imu.csv"))).facts.problems == ()


def test_copies_and_contradictions_are_named(tmp_path: Path, cache: Path) -> None:
    write_images(tmp_path / "pictures", {"dark": 8, "light": 8})
    folder = tmp_path / "pictures"
    shutil.copy(folder / "dark" / "0.png", folder / "dark" / "copy.png")
    shutil.copy(folder / "dark" / "1.jpg", folder / "light" / "liar.jpg")
    found = prepared(own(tmp_path, IMAGES)).facts
    assert {str(problem) for problem in found.problems} == {
        "dark/copy.png: is the same as dark/0.png",
        "light/liar.jpg: is the same as dark/1.jpg, with another label",
        "dark/1.jpg: is the same as light/liar.jpg, with another label",
    }
    assert sum(map(len, found.names.values())) == 15


def test_what_is_in_training_and_test_stays_in_test(tmp_path: Path, cache: Path) -> None:
    for split in ("train", "test"):
        write_images(tmp_path / "pictures" / split, {"dark": 6, "light": 6}, seed=len(split))
    shutil.copy(tmp_path / "pictures/test/dark/0.png", tmp_path / "pictures/train/dark/leak.png")
    found = prepared(own(tmp_path, IMAGES)).facts
    assert [str(problem) for problem in found.problems] == [
        "train/dark/leak.png: is the same as test/dark/0.png, which is in test"
    ]
    assert len(found.names["test"]) == 12
    assert all(name.startswith("train/") for name in (*found.names["train"], *found.names["val"]))


def test_windows_are_brought_to_codes_and_subjects_stay_together(tmp_path: Path, cache: Path) -> None:
    write_steps(tmp_path / "imu.csv")
    found = prepared(own(tmp_path, steps_section()))
    assert found.facts.scale is not None
    assert len(found.facts.scale.step) == 3
    assert found.dataset.train.images.shape[1:] == (1, 16, 3)
    assert sum(map(len, found.facts.names.values())) == 36
    subjects = [
        {int(name.split("rows ")[1].split()[0]) // 96 for name in names} for names in found.facts.names.values()
    ]
    assert not subjects[0] & subjects[1] | subjects[1] & subjects[2] | subjects[0] & subjects[2]


def test_values_are_kept_in_tolerances(tmp_path: Path, cache: Path) -> None:
    x = np.random.default_rng(0).standard_normal((40, 8, 1)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x, load=10 + 2 * x.mean((1, 2)), speed=np.arange(40))
    section = DataSection(
        "windows",
        "x.npz",
        "values",
        ("load", "speed"),
        ("kg", "m/s"),
        (0.5, 2.0),
        window=8,
        channels=("a",),
        label=("load", "speed"),
    )
    found = prepared(own(tmp_path, section))
    names, labels = found.facts.names["test"], found.dataset.test.labels
    assert labels.dtype == np.float32
    speeds = [int(name.rsplit(" ", 1)[1]) - 1 for name in names]
    assert np.allclose(labels[:, 1] * 2.0 + found.facts.mean[1], speeds, atol=1e-3)
    assert found.facts.tolerance == (0.5, 2.0)
    guessed = prepared(own(tmp_path, replace(section, tolerance=()))).facts
    assert guessed.tolerance[1] == pytest.approx(40 / 12**0.5 / 4, rel=0.2)


def test_several_labels_are_bits_and_others_are_named(tmp_path: Path, cache: Path) -> None:
    x = np.random.default_rng(0).standard_normal((20, 8, 1)).astype(np.float32)
    red, wet = np.arange(20) % 2, np.where(np.arange(20) == 7, 5, 0)
    np.savez(tmp_path / "x.npz", x=x, red=red, wet=wet)
    section = DataSection("windows", "x.npz", "labels", ("red", "wet"), window=8, channels=("a",), label=("red", "wet"))
    found = prepared(own(tmp_path, section))
    assert [str(problem) for problem in found.facts.problems] == [
        "x.npz, sample 8: has '1, 5', not 0 or 1 for each label"
    ]
    assert found.dataset.train.labels.dtype == np.uint8
    assert found.dataset.train.labels.shape[1] == 2


def test_too_little_is_refused_in_one_line(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "pictures" / "dark").mkdir(parents=True)
    (tmp_path / "pictures" / "dark" / "0.png").write_bytes(b"nothing")
    with pytest.raises(DimmerError, match=r"no sample to learn from; the first of 1 problems: dark/0.png: cannot be"):
        prepared(own(tmp_path, IMAGES))
    write_images(tmp_path / "pictures", {"dark": 6})
    with pytest.raises(DimmerError, match="class 'light' has no sample in training: give more of it"):
        prepared(own(tmp_path, IMAGES))
    with pytest.raises(DimmerError, match=r"nowhere is no folder: correct \[data\] path"):
        prepared(own(tmp_path, replace(IMAGES, path="nowhere")))


def test_the_cache_holds_the_latest(tmp_path: Path, cache: Path) -> None:
    write_steps(tmp_path / "imu.csv")
    for seed in range(KEPT + 3):
        prepared(own(tmp_path, steps_section(seed=seed)))
    assert len(list((cache / "data").iterdir())) == KEPT


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_steps(tmp_path / "imu.csv")
    (tmp_path / "file").touch()
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "file"))
    with pytest.raises(DimmerError, match=r"cannot be written .*: free space there, or set DIMMER_CACHE"):
        prepared(own(tmp_path, steps_section()))


def test_several_inputs_and_outputs(tmp_path: Path, cache: Path) -> None:
    found = prepared(OwnData(SECTION, write_project(tmp_path).parent))
    data, facts = found.dataset, found.facts
    assert data.inputs == ((6, 4, 1), (1, 5, 2))
    assert data.train.images.shape == (44, 1, 1, 34)
    assert data.outputs == ()
    kind, kg = heads_of(data.train.labels[0])
    assert (kind.task, kg.task, kg.weight, kg.decides) == ("classes", "values", 0.5, False)
    # Splits have as much of each class of the first output.
    counts = np.bincount(kind.truth(data.test.labels))
    assert abs(counts[0] - counts[1]) <= 1
    # Pixels are codes as they are, rings are brighter; values are in tolerances from their mean.
    image, imu = parts_of(data.train.images, data.inputs)
    rings = kind.truth(data.train.labels) == 1
    assert image[rings, 2:4, 1:3].min() >= 100
    assert image[~rings].max() < 100
    assert facts.inputs[0] is None
    assert facts.inputs[1] is not None
    force = facts.inputs[1].values(imu)[:, 0, :, 0].mean(1)
    told = kg.truth(data.train.labels)[:, 0] * facts.tolerance[0] + facts.mean[0]
    assert np.abs(force - told).max() < 0.5
    assert len(facts.mean) == len(facts.tolerance) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("'ring', 'none'", "'ring', 'disc'"), "no sample"),
        (('"imu": imu', '"imu": imu[:, :4]'), r"'imu' is \[60,4,2\], the recipe says 5x2 a sample"),
        (('"imu": imu', '"imu": imu[:50]'), "'imu' has 50 samples, 'image' has 60"),
        (('"imu": imu', '"other": imu'), "it has no array 'imu'"),
        (('"kg": kg', '"kg": kg[:50]'), "'kg' has not one entry for each of 60 samples"),
    ],
)
def test_what_does_not_fit_several_is_one_line(tmp_path: Path, cache: Path, change: tuple[str, str], says: str) -> None:
    folder = write_project(tmp_path).parent
    source = (folder / "two_data.py").read_text().replace('"ring", "none"', "'ring', 'none'")
    assert change[0] in source
    (folder / "two_data.py").write_text(source.replace(*change))
    with pytest.raises(DimmerError, match=says):
        prepared(OwnData(SECTION, folder))
