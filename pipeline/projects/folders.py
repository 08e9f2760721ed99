# SPDX-License-Identifier: Apache-2.0
"""Sub-folders as classes: which are, and which have no file that could be a sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.readers.sample import split_of
from dimmer.toml import plain

SHOWN = 5
"""So many sub-folders are named."""


def sub_folders(folder: Path, files: Sequence[Path], otherwise: str = "") -> tuple[str, ...]:
    """The names of sub-folders that are classes: below those of splits, where the first ones are those.

    Args:
        otherwise: where else the classes may be told, for the message.

    Raises:
        DimmerError: there are fewer than two.
    """
    inner = [path.relative_to(folder).parts for path in files]
    tops = {parts[0] for parts in inner if len(parts) > 1}
    given = bool(tops) and all(map(split_of, tops))
    names = {parts[given] for parts in inner if len(parts) > 1 + given}
    if len(names) < 2:
        raise DimmerError(
            f"{plain(str(folder))} has {len(names)} sub-folders with files, which would be the classes: give each "
            f"class a sub-folder{otherwise and f', or {otherwise}'}"
        )
    return tuple(sorted(names))


def without_class(folder: Path, section: DataSection) -> list[str]:
    """A line for the sub-folders that are no class, as none of their files can be read; nothing where all are.

    Args:
        folder: with the data, of which each sub-folder is a class.
    """
    tops = _folders(folder)
    given = [path for path in tops if split_of(path.name) and path.name not in section.classes]
    places = [path for path in tops if path not in given]
    places += [inner for path in given for inner in _folders(path)]
    odd = sorted(path.relative_to(folder).as_posix() for path in places if path.name not in section.classes)
    if not odd:
        return []
    more = f" and {len(odd) - SHOWN:,} more" if len(odd) > SHOWN else ""
    return [plain(f"no class, as no file in them is read: {', '.join(odd[:SHOWN])}{more}")]


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
