# SPDX-License-Identifier: Apache-2.0
"""What readers give: samples, and what is wrong with those that they leave out."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.data.door import reason_of
from dimmer.toml import plain

TRAIN, VAL, TEST = SPLITS = ("train", "val", "test")
_SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), VAL),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), TEST),
}


NOTHING = np.empty(0, np.uint8)
"""The array of a sample that was not read."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample, as it was read.

    Attributes:
        name: where it is from: a file below the data's folder, with its rows or its window.
        array: uint8[H,W,C] pixels, or float32[H,W,C] measured values.
        labels: the class, or a text for each label or value.
        group: what it may not be parted from; empty where nobody knows.
        split: "train", "val", "test"; empty where none is given.
        codes: of several inputs, whose values stand behind each other in `array`, which are codes as they are.
    """

    name: str
    array: NDArray[Any]
    labels: tuple[str, ...]
    group: str = ""
    split: str = ""
    codes: tuple[bool, ...] = ()


@dataclass(frozen=True, eq=False)
class Encoded:
    """One sample as it lies in a file, not decoded.

    Attributes:
        sample: what is known of it, without an array.
        path: the file.
        offset: where in it the sample begins, in bytes.
        size: its bytes.
    """

    sample: Sample
    path: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            OSError: the file cannot be read, or ends before.
        """
        return read_at(self.path, self.offset, self.size)


def read_at(path: Path, offset: int, size: int) -> bytes:
    """Bytes of a file.

    Raises:
        OSError: it cannot be read, or ends before.
    """
    with path.open("rb") as file:
        file.seek(offset)
        found = file.read(size)
    if len(found) != size:
        raise OSError(f"{path.name} ends before it should")
    return found


@dataclass(frozen=True)
class Problem:
    """A file or sample that is left out.

    Attributes:
        name: of it.
        reason: "is cut off", and the like.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def split_of(text: str) -> str | None:
    """The split that a word means; None for no such word.

    Examples:
        >>> split_of("Validation"), split_of("roses")
        ('val', None)
    """
    return _SPLIT_NAMES.get(text.strip().lower())


def files_below(folder: Path, suffixes: Collection[str]) -> tuple[Path, ...]:
    """The files below a folder whose names end so, whatever the case, sorted by their paths; hidden ones left out.

    Links to folders are followed, each folder once.

    Raises:
        DimmerError: it is no folder, or cannot be read.
    """
    return tuple(path for path in _all_below(folder) if path.suffix.lower() in suffixes)


def others_below(folder: Path, suffixes: Collection[str], but: Path | None = None) -> tuple[Problem, ...]:
    """The files below a folder that `files_below` leaves out for their names' ends, hidden ones apart.

    Args:
        but: one that is read all the same.

    Raises:
        DimmerError: it is no folder, or cannot be read.
    """
    reason = f"ends in none of {', '.join(sorted(suffixes))}"
    others = (path for path in _all_below(folder) if path.suffix.lower() not in suffixes and path != but)
    return tuple(Problem(shown_name(path, folder), reason) for path in others if path.is_file())


def _all_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    try:
        if not folder.is_dir():
            raise DimmerError(f"{plain(str(folder))} is no folder: correct [data] path{_read_on(folder)}")
        seen: set[Path] = set()

        def refuse(error: OSError) -> None:
            raise error

        for place, folders, names in os.walk(folder, followlinks=True, onerror=refuse):
            real = Path(place).resolve()
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            found += [Path(place, name) for name in names if not name.startswith(".")]
    except OSError as error:
        name = plain(str(error.filename or folder))
        raise DimmerError(f"{name} cannot be read ({reason_of(error)}): make it readable") from error
    return sorted(found, key=lambda path: path.relative_to(folder).parts)


def _read_on(missing: Path) -> str:
    """Where the page of a model, beside its recipe, tells how its data are had; empty where there is none."""
    told = (folder / "README.md" for folder in missing.parents if (folder / "recipe.toml").is_file())
    page = next((path for path in told if path.is_file()), None)
    return "" if page is None else f"; {plain(str(page))} tells of the model's data"


def shown_name(path: Path, folder: Path) -> str:
    """A file's path below the data's folder, on one line."""
    return plain(path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name)


def regular(paths: Collection[Path], folder: Path, problems: list[Problem]) -> Iterator[Path]:
    """The paths that are files with something in them and can be opened; the others are named."""
    for path in paths:
        try:
            if not path.is_file():
                problems.append(Problem(shown_name(path, folder), "is no file, or a link that leads nowhere"))
            elif not path.stat().st_size:
                problems.append(Problem(shown_name(path, folder), "is empty"))
            else:
                yield path
        except OSError as error:
            problems.append(Problem(shown_name(path, folder), f"cannot be read ({reason_of(error)})"))
