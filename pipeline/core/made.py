# SPDX-License-Identifier: Apache-2.0
"""Folders that stages have made: found, asked what they were made of, and removed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.pipeline.core.partial import KEY_FILE, key_begun, partial_of, retired_of, stage_of
from dimmer.pipeline.core.stage import MANIFEST, Json, Stage, is_manifest, locked


def made_folders(root: Path) -> list[Path]:
    """The folders below ``root`` that stages have made, and what killed ones left, sorted; none within another.

    What else has a ``manifest.json``, or a name such as a stage gives, is somebody's own.
    """
    made: set[Path] = set()
    # Passes over folders that a command renames or removes meanwhile, which rglob does not.
    for place, folders, files in os.walk(root):
        above = Path(place)
        if MANIFEST in files and is_manifest(above / MANIFEST):
            made.add(above)
        for path in (above / name for name in folders if name != stage_of(Path(name))):
            if (path / KEY_FILE).is_file() or _lock(path).is_file():
                made.add(path)
    return sorted(path for path in made if not made & set(path.parents))


@dataclass(frozen=True)
class MadeOf:
    """What a stage's folder was made of.

    Attributes:
        inputs: hashes of the contents (`content_hash`), in the stage's order.
        settings: of the stage.
        contents: name -> hash of what lies elsewhere, such as the data.
    """

    inputs: tuple[str, ...]
    settings: Mapping[str, Json]
    contents: Mapping[str, str]


def made_of(folder: Path) -> MadeOf | None:
    """What a stage's folder was made of, as its manifest tells; None where no stage has made it."""
    try:
        return _told(json.loads((folder / MANIFEST).read_text())["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def begun_of(folder: Path) -> MadeOf | None:
    """What a result is being made of that an interrupted run has begun and can go on with; None without one."""
    try:
        return _told(json.loads(key_begun(partial_of(folder)) or ""))
    except (ValueError, KeyError, TypeError):
        return None


def refuse_to_replace(stage: Stage, options: str) -> None:
    """Refuses a stage that options give other settings than what lies there has: that is worth more.

    Args:
        options: as they are typed.

    Raises:
        DimmerError: its folder, or what was begun of it, was made with other settings.
    """
    wanted = json.loads(json.dumps(stage.settings))
    for found, what in ((made_of(stage.folder), "has"), (begun_of(stage.folder), "is begun with")):
        if found is not None and found.settings != wanted:
            raise DimmerError(
                f"{stage.folder} {what} a training of other settings, which {options} would replace: "
                "name another folder with --out"
            )


def _told(key: Any) -> MadeOf:
    return MadeOf(tuple(digest for _, digest in key["inputs"]), dict(key["settings"]), dict(key["contents"]))


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder, those apart that a command removes meanwhile."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with suppress(FileNotFoundError):
                total += Path(place, name).stat().st_size
    return total


def remove(folder: Path, dry_run: bool = False) -> bool:
    """Removes a folder that a stage made; none is ever seen half removed.

    Returns:
        False if a command works on it and it was left alone.
    """
    place = folder.with_name(stage_of(folder))
    retired = retired_of(place)
    try:
        with locked(place, wait=False):
            if not dry_run:
                if folder != retired:
                    # A stage sweeps this one away, where whoever removes it is killed; half of a result it refuses.
                    shutil.rmtree(retired, ignore_errors=True)
                    folder.rename(retired)
                shutil.rmtree(retired)
    except BlockingIOError:
        return False
    return True


def _lock(folder: Path) -> Path:
    return folder.with_name(f".{stage_of(folder)}.lock")
