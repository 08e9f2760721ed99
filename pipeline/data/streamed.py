# SPDX-License-Identifier: Apache-2.0
"""Images that are decoded when they are asked for: of the data set only a list is kept, of where each image lies.

Several processes read each its own share of a batch, from the folder or the archives, and nobody reads all of it but
once for its hashes: so a data set may be larger than memory, and larger decoded than the disk.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.data.admitted import divided, refuse_missing, target_of, without_copies
from dimmer.pipeline.data.dataset import Images
from dimmer.pipeline.data.door import reason_of
from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.data.readers.images import read_image, why_not
from dimmer.pipeline.data.readers.sample import TRAIN, Encoded, Problem, Sample, read_at
from dimmer.toml import plain

THREADS = 4
"""That decode images of one process side by side."""


class EncodedReader(Protocol):
    """What a module of `readers/` has whose samples can be streamed."""

    def files(self, data: OwnData) -> tuple[Path, ...]:
        """The files whose contents decide the samples."""

    def encoded(self, data: OwnData, problems: list[Problem]) -> Iterator[Encoded]:
        """One sample after the other, not decoded; what is left out is added to the problems."""


class StreamedImages:
    """In place of an array uint8[N,H,W,C]: what is asked for is decoded, and nothing is remembered.

    Args:
        root: the data's folder.
        files: paths below it.
        places: int64[N,3]: number of the file, offset and size in it.
        section: how images are brought to one size.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, root: Path, files: Sequence[str], places: NDArray[np.int64], section: DataSection) -> None:
        self._root, self._files, self._places, self._section = root, files, places, section

    def __len__(self) -> int:
        return len(self._places)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, H, W, C)."""
        return (len(self), *self._section.shape.image_shape)

    def __getitem__(self, key: int | np.integer[Any] | slice | NDArray[Any]) -> Images:
        """Decoded: uint8[H,W,C] of one image, uint8[M,H,W,C] of several.

        Raises:
            DimmerError: one cannot be read or decoded.
        """
        places = self._places[key]
        if places.ndim == 1:
            return self._decoded(places)
        found = np.empty((len(places), *self.shape[1:]), np.uint8)

        def put(number: int) -> None:
            found[number] = self._decoded(places[number])

        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(put, range(len(places))):
                pass
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Images:
        return self[:] if dtype is None else self[:].astype(dtype)

    def _decoded(self, place: NDArray[np.int64]) -> Images:
        number, offset, size = place.tolist()
        path = self._root / self._files[number]
        try:
            return read_image(BytesIO(read_at(path, offset, size)), self._section)
        except ModuleNotFoundError:
            raise
        except Exception as error:
            raise DimmerError(
                f"{plain(str(path))}: the image at byte {offset} {why_not(error)}: mend it, or take it out"
            ) from error


def kept_hash(files: Sequence[Path], root: Path, folder: Path, contents: Callable[[Path], str]) -> str:
    """SHA-256 over the names and contents of files, read again only where a name, size, time or inode changed.

    Args:
        root: below which they lie; their names there say class and split.
        folder: where what was found is kept.
        contents: the hash of a file.
    """
    states = hashlib.sha256(b"names and contents\n")
    for path in files:
        try:
            stat = path.stat()
            states.update(f"{path}\0{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}\n".encode())
        except OSError:
            states.update(f"{path}\0none\n".encode())
    kept = folder / f"{states.hexdigest()[:32]}.sha256"
    # A cache of another user, which cannot be read or written, only costs the time to read the files again.
    with suppress(OSError, ValueError):
        if len(found := kept.read_text()) == 64:
            return found
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{os.path.relpath(path, root)!r}\0{contents(path)}\n".encode())
    with suppress(OSError):
        atomic_write(kept, digest.hexdigest())
    return digest.hexdigest()


def list_images(
    data: OwnData, reader: object, out: Path
) -> tuple[dict[str, tuple[str, ...]], tuple[Problem, ...], tuple[str, ...]]:
    """Writes places and labels of each split into a folder.

    Returns:
        Split -> where each of its samples is from; what was left out; the files, as paths below the data's folder.

    Raises:
        DimmerError: there is nothing, or too little of a class.
    """
    problems: list[Problem] = []
    rows: list[Sample] = []
    digests: list[str] = []
    targets: list[NDArray[Any]] = []
    places: list[tuple[int, int, int]] = []
    files: dict[str, int] = {}
    for entry in cast(EncodedReader, reader).encoded(data, problems):
        target = target_of(data, entry.sample, problems)
        if target is None:
            continue
        try:
            content = entry.read()
        except OSError as error:
            problems.append(Problem(entry.sample.name, f"cannot be read ({reason_of(error)})"))
            continue
        digests.append(hashlib.sha256(content).hexdigest())
        number = files.setdefault(os.path.relpath(entry.path, data.place), len(files))
        places.append((number, entry.offset, entry.size))
        targets.append(target)
        rows.append(entry.sample)
    if not rows:
        first = f"; the first of {len(problems)} problems: {problems[0]}" if problems else ""
        raise DimmerError(f"{plain(str(data))}: there is no sample to learn from{first}")
    index = divided(data, rows, digests, without_copies(rows, digests, targets, problems), problems)
    refuse_missing(data, [int(targets[n]) for n in index[TRAIN]])
    for name, numbers in index.items():
        np.save(out / f"{name}.npy", np.array([places[n] for n in numbers], np.int64).reshape(-1, 3))
        np.save(out / f"{name}-labels.npy", np.array([targets[n] for n in numbers], np.int64))
    names = {name: tuple(rows[n].name for n in numbers) for name, numbers in index.items()}
    return names, tuple(problems), tuple(files)
