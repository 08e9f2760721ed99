# SPDX-License-Identifier: Apache-2.0
"""What commands put beside the folders of stages: noted by its hash, so that it goes and a person's own files stay."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dimmer.pipeline.core.closure import file_hash
from dimmer.pipeline.core.stage import atomic_write

NOTE = ".dimmer-made"
"""In a folder: the names and hashes of what commands have written there."""


def note(folder: Path, files: Iterable[Path]) -> None:
    """Notes files in a folder, or below it, that a command has just written."""
    written = {path.relative_to(folder).as_posix(): file_hash(path) for path in files}
    noted = {name: digest for name, digest in _noted(folder).items() if (folder / name).is_file()}
    atomic_write(folder / NOTE, json.dumps(noted | written, indent=1, sort_keys=True) + "\n")


def noted_folders(root: Path) -> list[Path]:
    """The folders below ``root`` in which something is noted, sorted."""
    return sorted(Path(place) for place, _, files in os.walk(root) if NOTE in files)


def remove_noted(folder: Path, dry_run: bool = False) -> int:
    """Removes what is noted in a folder, and the folders that are empty then; what was edited since stays.

    Returns:
        bytes that it takes.
    """
    total = 0
    for name, digest in _noted(folder).items():
        path = folder / name
        if path.is_symlink() or not path.is_file() or file_hash(path) != digest:
            continue
        total += path.stat().st_size
        if not dry_run:
            path.unlink()
            _remove_empty(path.parent, folder)
    if not dry_run:
        (folder / NOTE).unlink()
        _remove_empty(folder, folder)
    return total


def _remove_empty(place: Path, last: Path) -> None:
    """Removes a folder, and those above it up to the last, as long as nothing is in them."""
    with suppress(OSError):
        while place.is_relative_to(last):
            place.rmdir()
            place = place.parent


def _noted(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / NOTE).read_text())
    except (OSError, ValueError):
        return {}
    return {name: str(digest) for name, digest in found.items()} if isinstance(found, dict) else {}
