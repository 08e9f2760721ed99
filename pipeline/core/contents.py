# SPDX-License-Identifier: Apache-2.0
"""What is in a file or a folder, as the key of a stage tells it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from dimmer.pipeline.core.closure import file_hash

MANIFEST = "manifest.json"
"""In a stage's folder: its key and the hashes of its outputs."""


def content_hash(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files in a folder.

    Byte code, hidden files and the manifest of the stage that made the folder, which says when, are left out. Links to
    folders are followed, each folder once, as readers of data follow them (`data.readers.sample`).
    """
    if path.is_file():
        return file_hash(path)
    digest = hashlib.sha256()
    for parts in sorted(_names_below(path)):
        file = path.joinpath(*parts)
        if file.is_file() and parts != (MANIFEST,):
            digest.update(f"{'/'.join(parts)}\0{file_hash(file)}\n".encode())
    return digest.hexdigest()


def _names_below(folder: Path) -> Iterator[tuple[str, ...]]:
    """The parts of each file's name."""
    seen: set[Path] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = Path(place).resolve()
        folders[:] = sorted(name for name in folders if name != "__pycache__" and not name.startswith("."))
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        above = Path(place).relative_to(folder).parts
        yield from ((*above, name) for name in names if not name.startswith("."))
