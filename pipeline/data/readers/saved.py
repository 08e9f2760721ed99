# SPDX-License-Identifier: Apache-2.0
"""A data set that Hugging Face's `datasets` saved on disk: its Arrow files are read as they lie, without that package.

The folder is what ``save_to_disk`` writes: ``state.json``, ``dataset_info.json`` and Arrow streams; or, of several
splits, ``dataset_dict.json`` and such a folder for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import IMAGES, RECORDINGS, DataSection, OwnData
from dimmer.pipeline.data.readers import recordings
from dimmer.pipeline.data.readers.columns import text
from dimmer.pipeline.data.readers.images import read_image
from dimmer.pipeline.data.readers.listing import Listed
from dimmer.pipeline.data.readers.sample import Problem, Sample, shown_name, split_of
from dimmer.pipeline.data.readers.tables import window_of
from dimmer.toml import plain

DICT, INFO, STATE = "dataset_dict.json", "dataset_info.json", "state.json"
_MOST_JSON = 1 << 24

sounds = recordings.sounds


@dataclass(frozen=True)
class Part:
    """One split of a saved data set, or all of one without splits.

    Attributes:
        folder: with its files.
        split: "train", "val", "test"; empty where its name says none.
        shards: the Arrow files, in their order.
        features: column -> what it holds, as dataset_info.json has it.
    """

    folder: Path
    split: str
    shards: tuple[Path, ...]
    features: Mapping[str, Any]

    def names(self, column: str) -> tuple[str, ...]:
        """What the numbers of a column stand for; nothing where it holds no classes."""
        feature = self.features.get(column)
        names = feature.get("names") if isinstance(feature, dict) else None
        return tuple(map(str, names)) if isinstance(names, list) else ()


def is_saved(folder: Path) -> bool:
    """Whether a folder is what ``save_to_disk`` writes."""
    return (folder / DICT).is_file() or ((folder / INFO).is_file() and (folder / STATE).is_file())


def parts(folder: Path) -> tuple[Part, ...]:
    """The splits.

    Raises:
        DimmerError: it is no such folder.
    """
    if not (folder / DICT).is_file():
        return (_part(folder, ""),)
    names = _json(folder / DICT).get("splits")
    if not isinstance(names, list) or not all(isinstance(name, str) and Path(name).name == name for name in names):
        raise DimmerError(f"{plain(str(folder / DICT))} names no splits: save the data set again")
    found = [split_of(re.split(r"[-_.]", name)[0]) for name in names]
    if len(names) > 1 and None in found:
        unknown = names[found.index(None)]
        raise DimmerError(
            f"{plain(str(folder / DICT))}: the split {plain(unknown)!r} is none of train, val and test: leave "
            "it out (splits.pop), or call it by one of these, and save the data set again"
        )
    return tuple(_part(folder / name, split or "") for name, split in zip(names, found, strict=True))


def _part(folder: Path, split: str) -> Part:
    named = _json(folder / STATE).get("_data_files")
    features = _json(folder / INFO).get("features")
    if not isinstance(named, list) or not isinstance(features, dict):
        raise DimmerError(f"{plain(str(folder))}: {STATE} and {INFO} are not those of a data set: save it again")
    shards = [one.get("filename") if isinstance(one, dict) else None for one in named]
    if not all(isinstance(name, str) and Path(name).name == name for name in shards):
        raise DimmerError(f"{plain(str(folder / STATE))} names no files: save the data set again")
    return Part(folder, split, tuple(folder / str(name) for name in shards), features)


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_JSON:
            raise ValueError(f"it has more than {_MOST_JSON:,} bytes")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DimmerError(
            f"{plain(str(path))} cannot be read ({plain(str(reason))}): save the data set again"
        ) from error
    if not isinstance(found, dict):
        raise DimmerError(f"{plain(str(path))} holds no object: save the data set again")
    return found


def files(data: OwnData) -> tuple[Path, ...]:
    """The files whose contents decide the samples.

    Raises:
        DimmerError: it is no such folder.
    """
    return tuple(path for part in parts(data.place) for path in (part.folder / STATE, part.folder / INFO, *part.shards))


def rows(
    part: Part, folder: Path, wanted: tuple[str, ...], problems: list[Problem]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and columns of each row; a file that is broken is named.

    Raises:
        DimmerError: a column is not there.
    """
    for column in wanted:
        if column not in part.features:
            known = ", ".join(map(plain, part.features))
            raise DimmerError(f"{plain(str(part.folder))} has no column {plain(column)!r}; it has {known}")
    for shard in part.shards:
        shown, number = shown_name(shard, folder), 0
        try:
            for batch in _batches(shard):
                columns = [batch.column(name).to_pylist() for name in wanted]
                for values in zip(*columns, strict=True):
                    number += 1
                    yield f"{shown}, row {number}", dict(zip(wanted, values, strict=True))
        except (DimmerError, ModuleNotFoundError):
            raise
        # Of a broken file the parser raises whatever comes to it.
        except Exception as error:
            problems.append(Problem(shown, f"cannot be read behind row {number} ({plain(_first_line(error))})"))


def _batches(path: Path) -> Iterator[Any]:
    import pyarrow

    # Mapped: a data set may be larger than memory. Types of extensions are read as what they are stored in.
    with pyarrow.memory_map(str(path)) as mapped, pyarrow.ipc.open_stream(mapped) as stream:
        for batch in stream:
            batch.validate(full=True)
            yield _stored(batch)


def _stored(batch: Any) -> Any:
    import pyarrow

    columns = [getattr(column, "storage", column) for column in batch.columns]
    return pyarrow.RecordBatch.from_arrays(columns, names=batch.schema.names)


def samples(data: OwnData, problems: list[Problem]) -> Iterator[Sample]:
    """A sample for each row, as the readers of folders give it; windows of one recording are never parted.

    Raises:
        DimmerError: it is no such folder, or lacks a column.
    """
    section = data.section
    wanted = tuple(dict.fromkeys((section.column, *section.label, *filter(None, (section.group, section.split)))))
    for part in parts(data.place):
        for name, row in rows(part, data.place, wanted, problems):
            try:
                yield from _of_row(section, part, name, row, problems)
            except (DimmerError, ModuleNotFoundError):
                raise
            # Of a broken image or recording the decoders raise whatever comes to them.
            except Exception as error:
                problems.append(Problem(name, f"cannot be decoded ({plain(_first_line(error))})"))


def _of_row(
    section: DataSection, part: Part, name: str, row: Mapping[str, Any], problems: list[Problem]
) -> Iterator[Sample]:
    labels = tuple(named(part, column, row[column]) for column in section.label)
    group = named(part, section.group, row[section.group]) if section.group else ""
    split = part.split
    if section.split:
        word = named(part, section.split, row[section.split])
        found = split_of(word) if word else ""
        if found is None:
            raise DimmerError(f"{name}: the split {plain(word)!r} is none of train, val and test: correct [data] split")
        split = found or split
    value = row[section.column]
    if section.kind == IMAGES:
        yield Sample(name, read_image(stored_file(value), section), labels, group, split)
    elif section.kind == RECORDINGS:
        listed = Listed(Path(name), name, labels, group, split)
        yield from recordings.windows(listed, stored_file(value), section, problems)
    else:
        yield Sample(name, window_of(np.asarray(value), section), labels, group, split)


def named(part: Part, column: str, value: Any) -> str:
    """A cell as a label is written: of a class its name."""
    names = part.names(column)
    if names and isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    return "" if value is None else text(value)


def stored_file(value: Any) -> BytesIO:
    """The file in a cell of an image or a recording.

    Raises:
        ValueError: the cell has none.
    """
    content = value.get("bytes") if isinstance(value, dict) else None
    if not isinstance(content, bytes):
        raise ValueError("the row holds no file, only its path: embed the files before save_to_disk")
    return BytesIO(content)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
