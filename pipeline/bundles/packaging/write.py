# SPDX-License-Identifier: Apache-2.0
"""A package on the disk: a folder, and the archive that is passed on. Both hold the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.bundles.packaging.formats import Format, files_of
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.core.closure import file_hash
from dimmer.pipeline.core.stage import atomic_write

RECORD = "dimmer-package.json"
"""What marks a folder as a package that may be replaced."""

_OLDEST = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can tell, of every file."""
_MODE = 0o100644


@dataclass(frozen=True)
class Written:
    """Where a package lies."""

    folder: Path
    archive: Path


def write_package(package: Package, form: Format, out: Path) -> Written:
    """Writes `<out>/<package>/` and the archive beside it; a package that lies there is replaced whole.

    Raises:
        DimmerError: something else lies there, or within it, or it cannot be written.
    """
    files = files_of(package, form)
    files[RECORD] = record(package, form, files)
    folder, archive = out / package.symbol, out / form.archive(package)
    try:
        _replace_folder(folder, files)
        atomic_write(archive, zip_bytes(files, "" if form.flat else package.symbol))
    except OSError as error:
        raise DimmerError(f"{out}: {error.strerror or error}: name another folder with --out") from error
    return Written(folder, archive)


def record(package: Package, form: Format, files: Mapping[str, str]) -> str:
    """The content of dimmer-package.json, for programs.

    Args:
        files: all others, by their paths.
    """
    about = {
        "name": package.symbol,
        "version": package.version,
        "runtime": package.runtime_hash,
        "format": form.title,
        "modes": package.modes,
        "cores": [
            {
                "core": core.kind.core,
                "weights": core.weights,
                "tables": core.tables,
                "code_about": core.code,
                "arena": core.arena,
            }
            for core in package.cores
        ],
        "files": {path: hashlib.sha256(text.encode()).hexdigest() for path, text in sorted(files.items())},
    }
    return json.dumps(about, indent=1) + "\n"


def zip_bytes(files: Mapping[str, str], folder: str) -> bytes:
    """A zip of these files, within a folder where one is named; no time, no user and no order but that of names."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path, text in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder}/{path}" if folder else path, _OLDEST)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, _MODE << 16, 3
            packed.writestr(entry, text.encode())
    return target.getvalue()


def _check_own(folder: Path) -> None:
    """Nothing but what a package has lies in its folder, which is replaced whole.

    Raises:
        DimmerError: somebody put a file there, or edited one.
    """
    try:
        listed = json.loads((folder / RECORD).read_text(encoding="utf-8")).get("files")
    except (OSError, ValueError, AttributeError, RecursionError):
        listed = {}
    if listed is None:
        # Written before it listed them: nothing can be told.
        return
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or (path.is_file() and name != RECORD and listed.get(name) != file_hash(path)):
            raise DimmerError(
                f"{path} was put there or edited by somebody, and a new package replaces the whole folder: move it "
                "away, or name another folder with --out"
            )


def _restore(folder: Path) -> None:
    """Brings back a package that a killed run had put aside and not yet replaced."""
    for retired in sorted(folder.parent.glob(f".{folder.name}.*.old")):
        if not folder.exists() and (retired / RECORD).is_file():
            retired.rename(folder)


def _replace_folder(folder: Path, files: Mapping[str, str]) -> None:
    known = folder / RECORD
    _restore(folder)
    if folder.is_symlink() or (folder.exists() and not known.is_file()):
        raise DimmerError(f"{folder} is there and is no package of Dimmer's: remove it, or name another with --out")
    if folder.exists():
        _check_own(folder)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    retired = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        for path, text in files.items():
            place = partial / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode())
        if folder.exists():
            folder.rename(retired)
        try:
            partial.rename(folder)
        except BaseException:
            # Stopped or failed between the two: the package of before is the only one there is.
            if retired.exists():
                retired.rename(folder)
            raise
        shutil.rmtree(retired, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
