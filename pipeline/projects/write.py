# SPDX-License-Identifier: Apache-2.0
"""A new project's files written: all of them or none, over nothing that is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.projects.files import IGNORED

KEPT = PurePosixPath(".gitignore")
"""A file that many folders have before they are a project: it stays as it is."""


def write_project(folder: Path, files: Mapping[PurePosixPath, str | bytes]) -> list[Path]:
    """Write the files, each whole, in their order; what fails or is interrupted is undone.

    A file that is there with just this content counts as written: a run that was killed is completed by the next.

    Returns:
        Paths of the files that were written.

    Raises:
        DimmerError: one of them is there already, and other; or the folder cannot be written.
    """
    try:
        wanted = {
            folder / name: text.encode() if isinstance(text, str) else text
            for name, text in files.items()
            if name != KEPT or not (folder / name).exists()
        }
        for path, content in wanted.items():
            _refuse_other(path, content)
        new = [path for path in wanted if not path.exists()]
        missing = {parent for path in new for parent in path.parents if not parent.exists()}
    except OSError as error:
        raise DimmerError(f"{error.filename or folder} cannot be read: {error.strerror}") from error
    try:
        for path in new:
            atomic_write(path, wanted[path])
    except BaseException as error:
        _undo(new, missing)
        if isinstance(error, OSError):
            raise DimmerError(f"{folder} cannot be written: {error.strerror}; name another folder") from error
        raise
    return new


def ignores_builds(folder: Path) -> bool:
    """Whether the folder's .gitignore names the builds."""
    try:
        lines = (folder / KEPT).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return bool({line.strip().strip("/") for line in lines} & {IGNORED.strip("/")})


def _refuse_other(path: Path, content: bytes) -> None:
    over = next((parent for parent in path.parents if parent.exists() and not parent.is_dir()), None)
    if over is not None:
        raise DimmerError(f"{over} is there already and is no folder: nothing is written; name another folder")
    # A link that leads nowhere is there, too.
    if path.is_symlink() or (path.exists() and (not path.is_file() or path.read_bytes() != content)):
        raise DimmerError(f"{path} is there already: nothing is written; move it, or name another folder")


def _undo(files: list[Path], folders: set[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)
    for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
