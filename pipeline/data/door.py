# SPDX-License-Identifier: Apache-2.0
"""Where a data set's files come in: each is checked whole, once, before anything reads it.

A file of which size and SHA-256 are known is compared with them, so that what parses it never sees damaged bytes. What
was parsed is then compared with what is known of the set: shapes, label range, class shares.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import file_hash
from dimmer.pipeline.data.dataset import DatasetShape, Split


@dataclass(frozen=True)
class KnownFile:
    """A file that there is only one of.

    Attributes:
        sha256: of its bytes.
        size: bytes, where known: then what is too short is told as that.
    """

    sha256: str
    size: int | None = None


def is_there(path: Path) -> bool:
    """Whether something has this name, also what cannot be read: that is told, not passed over."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise DimmerError(f"{path} cannot be looked at ({reason_of(error)}); name another folder") from error
    return True


def check_file(path: Path, known: KnownFile, way_out: str) -> Path:
    """The path, if its file is the known one.

    Args:
        way_out: what to do otherwise, "remove it ...".

    Raises:
        DimmerError: it cannot be read, or its bytes are others.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise DimmerError(f"{path} is {_kind(found.st_mode)}, not a file; {way_out}")
        if known.size not in (None, found.st_size):
            raise DimmerError(f"{path} is damaged ({found.st_size:,} bytes, not {known.size:,}); {way_out}")
        if file_hash(path) != known.sha256:
            raise DimmerError(f"{path} is damaged (sha256 differs); {way_out}")
    except PermissionError as error:
        raise DimmerError(f"{path} cannot be read (Permission denied); make it readable: chmod a+r {path}") from error
    except (OSError, ValueError) as error:
        raise DimmerError(f"{path} cannot be read ({reason_of(error)}); {way_out}") from error
    return path


def check_samples(path: Path, part: str, split: Split, shape: DatasetShape, a_class: int, way_out: str) -> Split:
    """Images and labels, if they are what is known of a set whose classes are equally many.

    Args:
        path: the file that they come from.
        part: "train", "test"; for the message.
        a_class: samples of each class.

    Raises:
        DimmerError: other shapes, types, labels or numbers.
    """
    wanted = (a_class * shape.classes, *shape.image_shape)
    images, labels = split.images, split.labels
    if images.shape != wanted or images.dtype != np.uint8:
        raise DimmerError(
            f"{path}: {part} images are {images.dtype}{list(images.shape)}, not uint8{list(wanted)}; {way_out}"
        )
    if labels.shape != wanted[:1] or not np.issubdtype(labels.dtype, np.integer):
        raise DimmerError(
            f"{path}: {part} labels are {labels.dtype}{list(labels.shape)}, not int64{list(wanted[:1])}; {way_out}"
        )
    if labels.min() < 0 or labels.max() >= shape.classes:
        outside = labels[(labels < 0) | (labels >= shape.classes)][0]
        raise DimmerError(f"{path}: {part} has label {outside}, outside 0..{shape.classes - 1}; {way_out}")
    counts = np.bincount(labels, minlength=shape.classes)
    if (counts != a_class).any():
        odd = int(np.flatnonzero(counts != a_class)[0])
        raise DimmerError(f"{path}: {part} has {counts[odd]:,} samples of class {odd}, not {a_class:,}; {way_out}")
    return split


def reason_of(error: Exception) -> str:
    """What an operating system's error says, without the path, which the message has already."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _kind(mode: int) -> str:
    return "a folder" if stat.S_ISDIR(mode) else "a device or pipe"
