# SPDX-License-Identifier: Apache-2.0
"""Folders beside a stage's: the one that its action writes into, and begun ones of other keys, which are kept."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from dimmer.endings import say

KEY_FILE = ".dimmer-key"
"""In a folder that can be resumed: the key of what was begun there."""
_BESIDE = re.compile(r"\.(.+?)(\.[0-9a-f]{12}\.aside|\.partial|\.old)")


def partial_of(folder: Path) -> Path:
    """Where the action of a stage writes, whose results the folder will have."""
    return folder.with_name(f".{folder.name}.partial")


def retired_of(folder: Path) -> Path:
    """What the folder was before, until it is removed."""
    return folder.with_name(f".{folder.name}.old")


def stage_of(folder: Path) -> str:
    """The name of a stage's folder, of what a killed run of it left, too.

    Examples:
        >>> [stage_of(Path(name)) for name in ("train", ".train.partial", ".gates.old", ".train.0123456789ab.aside")]
        ['train', 'train', 'gates', 'train']
    """
    beside = _BESIDE.fullmatch(folder.name)
    return folder.name if beside is None else beside[1]


def key_begun(partial: Path) -> str | None:
    """The key of what was begun in a folder; None where nothing was, or nothing that can be resumed."""
    try:
        return (partial / KEY_FILE).read_text()
    except (OSError, UnicodeDecodeError):
        return None


def resume(folder: Path, key: str) -> bool:
    """Brings what was begun with a key to where the action of a stage writes.

    What lies there of another key is put aside: hours of a training, say, which go on once their key is wanted again.

    Returns:
        False if nothing was begun with it; then nothing lies there.
    """
    partial = partial_of(folder)
    begun = key_begun(partial)
    if begun == key:
        return True
    if begun is not None and any(path.name != KEY_FILE for path in partial.iterdir()):
        kept = _aside(folder, begun)
        shutil.rmtree(kept, ignore_errors=True)
        partial.rename(kept)
        say(f"{folder.name}: what was begun with other inputs or settings is kept in {kept}; with those it goes on")
    elif partial.exists():
        shutil.rmtree(partial)
    kept = _aside(folder, key)
    if key_begun(kept) != key:
        return False
    kept.rename(partial)
    return True


def _aside(folder: Path, key: str) -> Path:
    return folder.with_name(f".{folder.name}.{hashlib.sha256(key.encode()).hexdigest()[:12]}.aside")
