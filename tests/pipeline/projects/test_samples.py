# SPDX-License-Identifier: Apache-2.0
"""Samples in the shapes of a network's inputs, from arrays and from folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.projects.samples import DEFAULT_PIXELS, Input, fitted, samples_of
from tests.own_data import write_recordings

IMAGE = Input("image", (4, 5, 3))


def arrays(count: int = 30, shape: tuple[int, ...] = (4, 5, 3)) -> Any:
    return np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float32)


def test_half_is_kept_for_the_comparison(tmp_path: Path) -> None:
    x, y = arrays(), np.arange(30)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    found = samples_of(tmp_path / "a.npz", [IMAGE], False)
    assert (len(found.calibrate[0]), len(found.compare[0]), found.apart, found.data) == (15, 15, True, "a.npz")
    assert found.labels is not None
    assert np.array_equal(found.compare[0], x[found.labels])
    both = np.concatenate([found.calibrate[0], found.compare[0]])
    assert len(np.unique(both.reshape(30, -1), axis=0)) == 30


def test_few_samples_are_all_used_twice(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", arrays(7))
    found = samples_of(tmp_path / "a.npy", [IMAGE], False)
    assert (len(found.calibrate[0]), len(found.compare[0]), found.apart, found.labels) == (7, 7, False, None)


def test_several_inputs_go_by_name(tmp_path: Path) -> None:
    both = [IMAGE, Input("sound", (8,))]
    np.savez(tmp_path / "a.npz", sound=arrays(5, (8,)), image=arrays(5))
    found = samples_of(tmp_path / "a.npz", both, False)
    assert [array.shape for array in found.calibrate] == [(5, 4, 5, 3), (5, 8)]
    np.savez(tmp_path / "b.npz", sound=arrays(5, (8,)), picture=arrays(5))
    with pytest.raises(
        DimmerError, match=r"b\.npz: has the arrays sound, picture; the network's inputs are image, sound"
    ):
        samples_of(tmp_path / "b.npz", both, False)
    np.savez(tmp_path / "c.npz", sound=arrays(5, (8,)), image=arrays(4))
    with pytest.raises(DimmerError, match="different numbers of samples"):
        samples_of(tmp_path / "c.npz", both, False)
    with pytest.raises(DimmerError, match=r"several inputs; give an \.npz with the arrays image, sound"):
        samples_of(tmp_path, both, False)


@pytest.mark.parametrize("first", [False, True])
def test_layouts(first: bool) -> None:
    x = arrays(3)
    assert np.array_equal(fitted(x, (4, 5, 3), first, "a"), x)
    assert np.array_equal(fitted(np.moveaxis(x, -1, 1), (4, 5, 3), first, "a"), x)
    assert np.array_equal(fitted(x.reshape(3, 1, 4, 5, 3), (4, 5, 3), first, "a"), x)
    cube = arrays(2, (3, 3, 3))
    assert np.array_equal(fitted(cube, (3, 3, 3), first, "a"), np.moveaxis(cube, 1, -1) if first else cube)


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (arrays(3, (5, 5, 3)), r"samples are \[5, 5, 3\], the network takes \[4, 5, 3\]"),
        (arrays(0), "holds no samples"),
        (np.array(1.0), "holds no samples"),
        (np.full((1, 4, 5, 3), np.nan), "not finite"),
        (np.full((1, 4, 5, 3), "a"), "holds no samples of numbers"),
    ],
)
def test_what_does_not_fit_is_told(array: Any, why: str) -> None:
    with pytest.raises(DimmerError, match=f"^a: .*{why}"):
        fitted(array, (4, 5, 3), False, "a")


def test_what_is_no_data_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"no")
    with pytest.raises(DimmerError, match=r"a\.npz: is damaged, or no \.npz or \.npy file"):
        samples_of(tmp_path / "a.npz", [IMAGE], False)
    with pytest.raises(DimmerError, match="is not there"):
        samples_of(tmp_path / "b.npz", [IMAGE], False)


@pytest.mark.parametrize("told", [None, (-1.0, 1.0)])
def test_folders_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: tuple[float, float] | None) -> None:
    from PIL import Image

    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "cache"))
    for name, shade in (("dark", 0), ("light", 255)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(12):
            picture = np.full((9, 8, 3), shade, np.uint8)
            picture[0, number % 8] = 7 * number
            Image.fromarray(picture).save(tmp_path / "pictures" / name / f"{number}.png")
    found = samples_of(tmp_path / "pictures", [Input("x", (4, 4, 3))], False, told)
    pixels = told or DEFAULT_PIXELS
    assert found.calibrate[0].shape[1:] == (4, 4, 3)
    assert found.labels is not None
    assert (found.calibrate[0].min(), found.calibrate[0].max()) == pixels
    shades = found.compare[0][:, 3, 3, 0]
    assert np.array_equal(shades, np.where(found.labels == 1, pixels[1], pixels[0]))
    with pytest.raises(DimmerError, match=r"are images, the network takes \[8\]; give an \.npz"):
        samples_of(tmp_path / "pictures", [Input("x", (8,))], False, told)


def test_folders_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "cache"))
    rows = [f"{5 + (row // 160) + (row % 7) / 10:g},{row % 5:g},{'ab'[row // 160]}" for row in range(320)]
    (tmp_path / "a.csv").write_text("\n".join(["x,y,label", *rows]) + "\n")
    found = samples_of(tmp_path / "a.csv", [Input("x", (8, 2))], False)
    assert found.calibrate[0].shape[1:] == (8, 2)
    assert 4.9 < found.calibrate[0][:, :, 0].min() < found.calibrate[0][:, :, 0].max() < 6.7
    assert found.labels is not None


def test_recordings_make_no_features_and_columns_no_other_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reshape of what they hold has the size that a network takes, and means nothing to it."""
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "cache"))
    write_recordings(tmp_path / "sounds", {"a": 4, "b": 4})
    with pytest.raises(
        DimmerError, match=r"^sounds: recordings of 1 channels do not make \[49, 10, 1\]; give an \.npz"
    ):
        samples_of(tmp_path / "sounds", [Input("mfcc", (49, 10, 1))], False)
    rows = [f"{row % 7},{row % 5},{row % 3},{'ab'[row // 48]}" for row in range(96)]
    (tmp_path / "a.csv").write_text("\n".join(["x,y,z,label", *rows]) + "\n")
    for shape in ((8, 6), (6, 8), (3, 16), (48,), (1,)):
        with pytest.raises(DimmerError, match=r"^a\.csv: windows of 3 channels do not make \["):
            samples_of(tmp_path / "a.csv", [Input("x", shape)], False)


def test_pixels_are_for_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "cache"))
    write_recordings(tmp_path / "sounds", {"a": 4, "b": 4})
    np.save(tmp_path / "a.npy", arrays(5, (8,)))
    for name in ("sounds", "a.npy"):
        with pytest.raises(DimmerError, match=r"^--pixels is for folders of images; arrays are taken as the network"):
            samples_of(tmp_path / name, [Input("x", (8,))], False, (-1.0, 1.0))


@pytest.mark.parametrize(
    "labels", [np.zeros(5), np.zeros((5, 1), int), np.array(1), np.full(5, "a"), np.full(5, 3), np.full(5, -1)]
)
def test_labels_that_are_no_classes_are_told(tmp_path: Path, labels: Any) -> None:
    np.savez(tmp_path / "a.npz", x=arrays(5), y=labels)
    with pytest.raises(
        DimmerError, match=r"^a\.npz: y holds no numbers of classes \[N\] below 3; give them so, or leave"
    ):
        samples_of(tmp_path / "a.npz", [IMAGE], False, classes=3)


def test_labels_of_two_may_be_truths_and_an_input_is_no_label(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=arrays(5), y=np.array([True, False, True, False, True]))
    found = samples_of(tmp_path / "a.npz", [IMAGE], False, classes=2)
    assert found.labels is not None
    assert sorted(found.labels) == [0, 0, 1, 1, 1]
    np.savez(tmp_path / "b.npz", y=arrays(5))
    assert samples_of(tmp_path / "b.npz", [Input("y", IMAGE.shape)], False).labels is None
