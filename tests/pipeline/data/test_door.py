# SPDX-License-Identifier: Apache-2.0
"""The door of the data sets: a file is the known one, or one line says what to do."""

import os
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.dataset import DatasetShape, Split
from dimmer.pipeline.data.door import KnownFile, check_file, check_samples, is_there, reason_of

CONTENT = b"all the images"
KNOWN = KnownFile(sha256(CONTENT).hexdigest(), len(CONTENT))
SHAPE = DatasetShape((2, 2, 1), 3)
NOBODY = 65534


def test_the_known_file_goes_through(tmp_path: Path) -> None:
    path = tmp_path / "set"
    path.write_bytes(CONTENT)
    assert check_file(path, KNOWN, "copy it again") == path
    assert check_file(path, KnownFile(KNOWN.sha256), "copy it again") == path


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def circle(path: Path) -> None:
    path.symlink_to(path.name)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.write_bytes(CONTENT[:-1]), "is damaged (13 bytes, not 14)"),
        (lambda path: path.write_bytes(b""), "is damaged (0 bytes, not 14)"),
        (lambda path: path.write_bytes(CONTENT.upper()), "is damaged (sha256 differs)"),
        (folder, "is a folder, not a file"),
        (pipe, "is a device or pipe, not a file"),
        (device, "is a device or pipe, not a file"),
        (dangling, "cannot be read (No such file or directory)"),
        (circle, "cannot be read (Too many levels of symbolic links)"),
    ],
)
def test_anything_else_is_told_with_the_way_out(tmp_path: Path, make: Callable[[Path], None], told: str) -> None:
    path = tmp_path / "set"
    make(path)
    assert is_there(path)
    with pytest.raises(DimmerError) as failure:
        check_file(path, KNOWN, "copy it again")
    assert str(failure.value) == f"{path} {told}; copy it again"


def test_a_file_that_may_not_be_read_is_told_as_that(tmp_path: Path) -> None:
    path = tmp_path / "set"
    path.write_bytes(CONTENT)
    # Another user gets as far as the file, and folders that are open to all, such as /tmp, stay as they are.
    for parent in (tmp_path, *tmp_path.parents[:3]):
        if not (mode := stat.S_IMODE(parent.stat().st_mode)) & 0o001:
            parent.chmod(mode | 0o055)
    path.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        with pytest.raises(DimmerError, match=r"cannot be read \(Permission denied\); make it readable: chmod a\+r"):
            check_file(path, KNOWN, "copy it again")
    finally:
        if root:
            os.seteuid(0)


def test_a_name_without_a_file_is_not_there(tmp_path: Path) -> None:
    assert not is_there(tmp_path / "none")
    (tmp_path / "file").touch()
    assert not is_there(tmp_path / "file" / "below")


def test_a_name_that_cannot_be_looked_at_is_told() -> None:
    with pytest.raises(DimmerError, match=r"cannot be looked at .*name another folder"):
        is_there(Path("a\0b"))


def whole() -> Split:
    return Split(np.zeros((6, 2, 2, 1), np.uint8), np.array([0, 1, 2, 2, 1, 0]))


def test_whole_samples_go_through() -> None:
    samples = whole()
    assert check_samples(Path("f"), "train", samples, SHAPE, 2, "copy it again") is samples


@pytest.mark.parametrize(
    ("images", "labels", "told"),
    [
        (np.zeros((6, 2, 2, 3), np.uint8), None, r"train images are uint8\[6, 2, 2, 3\], not uint8\[6, 2, 2, 1\]"),
        (np.zeros((6, 2, 2, 1)), None, r"train images are float64\[6, 2, 2, 1\], not uint8"),
        (None, np.zeros(5, np.int64), r"train labels are int64\[5\], not int64\[6\]"),
        (None, np.zeros(6), r"train labels are float64"),
        (None, np.array([0, 1, 2, 3, 1, 0]), r"train has label 3, outside 0\.\.2"),
        (None, np.array([0, 1, 2, -1, 1, 0]), r"train has label -1, outside"),
        (None, np.array([0, 1, 2, 1, 1, 0]), r"train has 3 samples of class 1, not 2"),
    ],
)
def test_other_samples_are_refused(images: np.ndarray | None, labels: np.ndarray | None, told: str) -> None:
    good = whole()
    samples = Split(good.images if images is None else images, good.labels if labels is None else labels)
    with pytest.raises(DimmerError, match=f"^f: {told}.*; copy it again$"):
        check_samples(Path("f"), "train", samples, SHAPE, 2, "copy it again")


def test_an_error_without_words_has_its_name() -> None:
    assert reason_of(ValueError()) == "ValueError"
    assert reason_of(PermissionError(13, "Permission denied", "/f")) == "Permission denied"
