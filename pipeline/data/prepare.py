# SPDX-License-Identifier: Apache-2.0
"""Data of one's own as a data set: read once, split, brought to codes, and kept in files that are mapped into memory.

What is kept lies in the cache, under the hash of all that it was made of; it is made again where it is missing. Samples
go to disk one by one, so that a data set may be larger than memory.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import closure, file_hash
from dimmer.pipeline.core.documents import load_document, save_document
from dimmer.pipeline.data.admitted import divided, refuse_missing, refuse_missing_of, target_of, without_copies
from dimmer.pipeline.data.dataset import Dataset, Images, Sounds, Split
from dimmer.pipeline.data.door import reason_of
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.ends import OutputSection
from dimmer.pipeline.data.own import ANOMALY, CLASSES, NORMAL_OR_NOT, RECORDINGS, VALUES, DataSection, OwnData
from dimmer.pipeline.data.packed import packed
from dimmer.pipeline.data.readers.sample import SPLITS, TEST, TRAIN, VAL, Problem, Sample, others_below
from dimmer.pipeline.data.scale import InputScale, JoinedScale, RowCodes, choose_joined_scale, choose_scale
from dimmer.pipeline.data.streamed import StreamedImages, kept_hash, list_images
from dimmer.project import cache_folder
from dimmer.toml import plain

FACTS, SOUNDS = "facts.json", "train-sounds.npy"
KEPT = 8
"""So many prepared data sets stay in the cache, the latest used."""
_BATCH = 256
_STALE_S = 7 * 86_400


class Reader(Protocol):
    """What a module of `readers/` has."""

    def files(self, data: OwnData) -> tuple[Path, ...]:
        """The files whose contents decide the samples."""

    def samples(self, data: OwnData, problems: list[Problem]) -> Iterator[Sample]:
        """One sample after the other; what is left out is added to the problems."""


class Encoding(Protocol):
    """How a batch of samples becomes codes."""

    def codes(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """[N, ...] as the reader gives them -> uint8[N,H,W,C]."""
        ...


@dataclass(frozen=True)
class Facts:
    """What is known of prepared data beside its arrays.

    Attributes:
        names: split -> where each of its samples is from.
        problems: what was left out.
        scale: how values became codes; None of pixels, and of rows of features.
        rows: how the values of a front end's rows became codes; None without one.
        mean: of each value, in training; empty of other tasks.
        tolerance: of each value, within which it is right.
        files: of streamed images, the files that their places count by; paths below the data's folder.
        inputs: of several inputs, how the values of each became codes; None of one whose values are codes.
    """

    names: Mapping[str, tuple[str, ...]]
    problems: tuple[Problem, ...]
    scale: InputScale | None
    mean: tuple[float, ...] = ()
    tolerance: tuple[float, ...] = ()
    rows: RowCodes | None = None
    files: tuple[str, ...] = ()
    inputs: tuple[InputScale | None, ...] = ()


@dataclass(frozen=True, eq=False)
class Prepared:
    """A data set of one's own.

    Attributes:
        dataset: its arrays lie in files.
        facts: what is known beside them.
    """

    dataset: Dataset
    facts: Facts


def own_hash(data: OwnData) -> str:
    """SHA-256 over all that decides the data set: the section, and the contents of the files.

    Where the data lies counts for nothing, when it was written neither.

    Raises:
        DimmerError: it is not there, or cannot be read.
    """
    reader = _reader(data)
    # What came later is in no hash where it is off: data that were prepared and learnt before stay what they are.
    later = {"numbered": 0, "streamed": False, "column": "", "inputs": (), "outputs": (), "columns": ()}
    known = asdict(data.section).items()
    section = {key: value for key, value in known if key != "path" and later.get(key, ...) != value}
    digest = hashlib.sha256(json.dumps(section, sort_keys=True).encode())
    if data.heard is not None:
        digest.update(json.dumps(asdict(data.heard), sort_keys=True).encode())
    root = data.place if data.place.is_dir() else None
    if data.section.streamed:
        digest.update(kept_hash(reader.files(data), data.place, _kept(), _hash_of).encode())
        return digest.hexdigest()
    for path in reader.files(data):
        name = path.relative_to(root).as_posix() if root and path.is_relative_to(root) else ""
        digest.update(f"{name!r}\0{_hash_of(path)}\n".encode())
    contents = getattr(reader, "contents", None)
    if contents is not None:
        digest.update(contents(data).encode())
    return digest.hexdigest()


def prepared(data: OwnData) -> Prepared:
    """The data set; read where it is not in the cache.

    Raises:
        DimmerError: it cannot be read, or there is too little of it.
    """
    code = closure(data.reader, __name__)
    made_of = [own_hash(data), code.hashes(), code.versions(), *(["sounds"] if data.sounds else [])]
    wanted = json.dumps(made_of, sort_keys=True)
    folder = _kept() / hashlib.sha256(wanted.encode()).hexdigest()[:32]
    found = _load(data, folder)
    if found is None:
        with _disk_explained(folder):
            _make(data, folder)
        _forget(folder.parent)
        found = _load(data, folder)
    if found is None:
        raise DimmerError(
            f"{folder} cannot be read, or was removed meanwhile: type the command again, or set DIMMER_CACHE"
        )
    return replace(found, facts=replace(found.facts, problems=found.facts.problems + _others(data)))


def _others(data: OwnData) -> tuple[Problem, ...]:
    """Files of other formats. They are in no hash and nothing is made anew for them, so what was kept has none."""
    suffixes = getattr(_reader(data), "SUFFIXES", None)
    if suffixes is None or data.section.column or not data.place.is_dir():
        return ()
    return others_below(data.place, suffixes, data.place / data.section.table if data.section.table else None)


def _kept() -> Path:
    """Where prepared data sets lie."""
    return cache_folder() / "data"


def _reader(data: OwnData) -> Reader:
    return cast(Reader, import_module(data.reader))


def _hash_of(path: Path) -> str:
    """What cannot be read has no contents: the reader names it."""
    try:
        return file_hash(path) if path.is_file() else "none"
    except OSError as error:
        return reason_of(error)


def _load(data: OwnData, folder: Path) -> Prepared | None:
    """What was kept; None where it is not there or not whole."""
    section = data.section
    try:
        facts = load_document(Facts, folder / FACTS)
        splits = {name: _split(data, facts, folder, name) for name in SPLITS}
        sounds = _sounds(data, folder, facts) if data.sounds else None
    except (OSError, ValueError, EOFError, DimmerError):
        return None
    for name, split in splits.items():
        if split.images.shape != (len(facts.names[name]), *data.shape.image_shape) or len(split.labels) != len(
            split.images
        ):
            return None
    # What another user made serves as well, and its time stays.
    with suppress(OSError):
        os.utime(folder)
    arrays = splits[TRAIN], splits[VAL], splits[TEST]
    classes = NORMAL_OR_NOT if section.task == ANOMALY else section.classes
    shape = data.shape
    made = Dataset(str(data), classes, shape.image_shape, *arrays, section.balance, sounds, shape.inputs)
    return Prepared(made, facts)


def _sounds(data: OwnData, folder: Path, facts: Facts) -> Sounds:
    kept = np.load(folder / SOUNDS, mmap_mode="r", allow_pickle=False)
    found: Sounds = import_module(data.reader).sounds(data, kept, facts.rows or facts.scale)
    return found


def _split(data: OwnData, facts: Facts, folder: Path, name: str) -> Split:
    # Copied on write: torch wants arrays that may be written.
    images = np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False)
    if data.section.streamed:
        images = cast(Images, StreamedImages(data.place, facts.files, images, data.section))
    return Split(images, np.load(folder / f"{name}-labels.npy", mmap_mode="c", allow_pickle=False))


def _make(data: OwnData, folder: Path) -> None:
    """Reads everything and writes the folder, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as work:
        made = Path(work, "made")
        made.mkdir()
        _fill(data, Path(work, "raw"), made)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            made.rename(folder)
        except OSError:
            # Another process was faster, with the same result.
            if not folder.is_dir():
                raise


def _fill(data: OwnData, raw: Path, out: Path) -> None:
    section, problems = data.section, list[Problem]()
    if section.streamed:
        names, left_out, files = list_images(data, _reader(data), out)
        save_document(out / FACTS, Facts(names, left_out, None, files=files))
        return
    shape = data.sample_shape
    rows: list[Sample] = []
    digests: list[str] = []
    targets: list[NDArray[Any]] = []
    kind: np.dtype[Any] | None = None
    whole: tuple[bool, ...] | None = None
    with raw.open("wb") as file:
        for sample in _reader(data).samples(data, problems):
            target = target_of(data, sample, problems)
            if target is None:
                continue
            kind = kind or sample.array.dtype
            whole = whole or sample.codes
            if sample.codes != whole or sample.array.dtype != kind:
                # Codes as they are and values that are scaled cannot stand in one array.
                raise DimmerError(
                    f"{sample.name}: an input is uint8 codes in some samples and other values in others: give one kind"
                )
            array = np.ascontiguousarray(sample.array)
            assert array.shape == shape
            file.write(array.tobytes())
            digests.append(hashlib.sha256(array.tobytes()).hexdigest())
            targets.append(target)
            rows.append(replace(sample, array=np.empty(0)))
    if kind is None:
        first = f"; the first of {len(problems)} problems: {problems[0]}" if problems else ""
        raise DimmerError(f"{plain(str(data))}: there is no sample to learn from{first}")
    values = np.memmap(raw, kind, "r", shape=(len(rows), *shape))
    kept = without_copies(rows, digests, targets, problems)
    index = divided(data, rows, digests, kept, problems)
    if section.task == CLASSES:
        refuse_missing(data, [int(targets[n]) for n in index[TRAIN]])
    if section.outputs:
        refuse_missing_of(data, np.stack([targets[n] for n in index[TRAIN]]))
    scale, encoding = _encoding(data, values, index[TRAIN], whole or ())
    mean, tolerance = _units(data, [targets[n] for n in index[TRAIN]])
    for name, numbers in index.items():
        codes = np.lib.format.open_memmap(out / f"{name}.npy", "w+", np.uint8, (len(numbers), *data.shape.image_shape))
        for start in range(0, len(numbers), _BATCH):
            batch = values[numbers[start : start + _BATCH]]
            codes[start : start + _BATCH] = batch if encoding is None else encoding.codes(batch)
        codes.flush()
        if section.task == ANOMALY:
            _save_given_back(out / f"{name}-labels.npy", codes, [int(targets[n]) for n in numbers])
            continue
        labels = np.stack([targets[n] for n in numbers])
        if section.outputs:
            labels = _packed(section, labels, mean, tolerance)
        elif mean:
            labels = ((labels - np.asarray(mean)) / np.asarray(tolerance)).astype(np.float32)
        np.save(out / f"{name}-labels.npy", labels)
    if data.sounds:
        sounds = np.lib.format.open_memmap(out / SOUNDS, "w+", kind, (len(index[TRAIN]), *shape))
        for start in range(0, len(sounds), _BATCH):
            sounds[start : start + _BATCH] = values[index[TRAIN][start : start + _BATCH]]
        sounds.flush()
    names = {name: tuple(rows[n].name for n in numbers) for name, numbers in index.items()}
    rows_as = getattr(encoding, "row_codes", None)
    inputs = encoding.scales if isinstance(encoding, JoinedScale) else ()
    save_document(out / FACTS, Facts(names, tuple(problems), scale, mean, tolerance, rows_as, inputs=inputs))


def _save_given_back(path: Path, codes: NDArray[np.uint8], labels: Sequence[int]) -> None:
    """Targets int8[N,1+D]: whether a sample is an anomaly, and the network's input."""
    size = int(np.prod(codes.shape[1:]))
    targets = np.lib.format.open_memmap(path, "w+", np.int8, (len(codes), 1 + size))
    targets[:, 0] = np.asarray(labels) > 0
    for start in range(0, len(codes), _BATCH):
        part = slice(start, start + _BATCH)
        targets[part, 1:] = to_int8(codes[part]).reshape(-1, size)
    targets.flush()


def _encoding(
    data: OwnData, values: NDArray[Any], training: Sequence[int], whole: Sequence[bool]
) -> tuple[InputScale | None, Encoding | None]:
    """How samples become codes, chosen on the training part; nothing where they are codes, as `whole` says of each of
    several inputs.
    """
    if data.section.inputs:
        return None, choose_joined_scale(values, training, data.shape.inputs, whole)
    if data.heard is not None:
        found: Encoding = import_module(data.reader).encoding(data, values, training)
        return None, found
    if values.dtype == np.uint8:
        return None, None
    scale = choose_scale(values, training, data.section.kind == RECORDINGS)
    return scale, scale


def _units(data: OwnData, targets: Sequence[NDArray[Any]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and tolerance of each value, of several outputs of all; nothing for other tasks."""
    section, seen = data.section, np.stack(targets)
    if section.outputs:
        found = [_unit(seen[:, place], output.tolerance) for output, place in _value_columns(section)]
        return tuple(value for mean, _ in found for value in mean), tuple(value for _, tol in found for value in tol)
    return _unit(seen, section.tolerance) if section.task == VALUES else ((), ())


def _unit(seen: NDArray[Any], tolerance: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    quarter = [float(value) or 1.0 for value in seen.std(0) / 4]
    return tuple(map(float, seen.mean(0))), tolerance or tuple(quarter)


def _value_columns(section: DataSection) -> Iterator[tuple[OutputSection, slice]]:
    """The outputs that are values, and where theirs stand among what `target_of` gives."""
    at = 0
    for output in section.outputs:
        if output.task == VALUES:
            yield output, slice(at, at + output.numbers)
        at += output.numbers


def _packed(
    section: DataSection, truths: NDArray[Any], mean: Sequence[float], tolerance: Sequence[float]
) -> NDArray[np.float64]:
    """Targets of several outputs, values in tolerances from their mean."""
    found, done = truths.astype(np.float64), 0
    for output, place in _value_columns(section):
        own = slice(done, done + output.numbers)
        # Of float32, as values of one output are.
        in_tolerances = (found[:, place] - np.asarray(mean[own])) / np.asarray(tolerance[own])
        found[:, place] = in_tolerances.astype(np.float32)
        done += output.numbers
    return packed(section.outputs, found)


def _forget(folder: Path) -> None:
    """Of many prepared data sets those that nobody used for longest are removed, and what killed runs left."""
    used: dict[Path, float] = {}
    with suppress(OSError):
        for path in folder.iterdir():
            # What another process removed meanwhile needs nothing more.
            with suppress(OSError):
                found = path.stat()
                if stat.S_ISDIR(found.st_mode):
                    used[path] = found.st_mtime
    left = {path for path in used if path.name.startswith(".")}
    there = sorted(used.keys() - left, key=lambda path: used[path], reverse=True)
    for path in (*there[KEPT:], *(path for path in left if used[path] < time.time() - _STALE_S)):
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _disk_explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DimmerError(
            f"{folder.parent} cannot be written ({reason_of(error)}): free space there, or set DIMMER_CACHE"
        ) from error
