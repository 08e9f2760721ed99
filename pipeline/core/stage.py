# SPDX-License-Identifier: Apache-2.0
"""Stages: one folder each, made once from known inputs and never taken for whole when it is not.

A stage's folder holds what its action wrote and ``manifest.json``: the stage's key and the hash of every output. The
key is all that the result depends on: contents of the inputs and of the data set, the code that the action runs (its
import closure), the versions of the packages that decide a result, and the settings. While all of them still hold, the
stage is not run again. The action writes into a sibling folder whose name begins with a dot; that folder is flushed to
disk and renamed into place when it is complete, so a run that is killed at any moment, or that loses its power, leaves
the old result or none.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.actions import modules_of, source_of
from dimmer.pipeline.core.closure import ROOT as ROOT
from dimmer.pipeline.core.closure import Closure, closure, file_hash
from dimmer.pipeline.core.contents import MANIFEST as MANIFEST
from dimmer.pipeline.core.contents import content_hash
from dimmer.pipeline.core.partial import KEY_FILE, partial_of, resume, retired_of

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

VERBS: Mapping[str, str] = {
    "train": "train",
    "gates": "train_gates",
    "calibrate": "calibrate",
    "export": "export",
    "convert": "convert",
    "firmware": "firmware",
    "tvm_module": "tvm_module",
    "bundle": "jetson",
    "compare": "verify",
    "accuracy": "verify",
    "verify": "verify",
    "npu": "npu",
    "verify_npu": "verify_npu",
}
"""Folder of a stage's results -> the verb of `pipeline` that makes it."""
VERBS_OF_TARGETS = frozenset({"firmware", "tvm_module", "jetson", "verify", "npu", "verify_npu"})
"""Those whose folder lies in a target's."""
_FORMAT = 2
_FULL_DISK_BYTES = 1 << 20


@dataclass(frozen=True)
class StageResult:
    """What became of a stage.

    Attributes:
        name: the stage's name.
        seconds: wall-clock seconds that this run spent on it.
        cached: True if the folder was already there and still right.
    """

    name: str
    seconds: float
    cached: bool


@dataclass(frozen=True)
class Stage:
    """What a stage is made of, by what, and where it lies.

    Attributes:
        name: as it stands in messages.
        folder: of its results; below it lies nothing else.
        action: writes its results into the folder that it is given, and nowhere else. It is a function within the
            one that describes the stage, and imports what it runs: the import closure of that, with the action's own
            source, is the code part of the stage's key (`pipeline.core.actions`). It is not called when the result is
            there.
        inputs: files, or folders of files, that the action reads.
        settings: whatever else the result depends on; plain JSON values.
        modules: what the action imports by a computed name: the network's family, the data set's loader.
        files: sources that are not Python, or folders of them: C, linker scripts.
        contents: name -> hash of contents that lie elsewhere, such as a data set's; versions of compilers.
        keep_partial: an interrupted action finds in its folder what it had written before, as long as the key is the
            same: for long actions that can resume. What was begun with another key is kept aside (`core.partial`).
        given: inputs that a person names: a manifest.json of theirs is no stage's, and no stage makes them again.
    """

    name: str
    folder: Path
    action: Callable[[Path], None]
    inputs: Sequence[Path] = ()
    settings: Mapping[str, Json] = field(default_factory=dict)
    modules: Sequence[str] = ()
    files: Sequence[Path] = ()
    contents: Mapping[str, str] = field(default_factory=dict)
    keep_partial: bool = False
    given: Sequence[Path] = ()

    @property
    def closure(self) -> Closure:
        """The Python that the action runs."""
        return closure(*modules_of(self.action), *self.modules)

    def key(self) -> dict[str, Json]:
        """Everything that the result depends on.

        Raises:
            DimmerError: an input is missing.
        """
        for path in (*self.inputs, *self.given, *self.files):
            if not path.exists():
                raise DimmerError(f"stage '{self.name}': {path} is missing; {_how_to_make(path)}")
        for path in self.inputs:
            _check_made(path)
        for path in self.given:
            if _is_made(path):
                _check_made(path)
        code = self.closure
        return {
            "format": _FORMAT,
            "stage": self.name,
            "inputs": [self._identity(path) for path in (*self.inputs, *self.given)],
            "code": code.hashes(),
            "action": hashlib.sha256(source_of(self.action).encode()).hexdigest(),
            "files": [self._identity(path) for path in self.files],
            "packages": code.versions(),
            "contents": dict(self.contents),
            "settings": self.settings,
        }

    def _identity(self, path: Path) -> list[str]:
        """A name that stays the same when the checkout, or the user's project, is moved, and the content's hash."""
        place = path.resolve()
        start = ROOT if place.is_relative_to(ROOT) else self.folder.resolve()
        return [os.path.relpath(place, start), content_hash(path)]

    def _check_same(self, key: str) -> None:
        """That what the action has read is still what the key tells of; another build may have made it anew.

        The code is left out: it was loaded when the action began, and an edit must not take a training's end from it.

        Raises:
            DimmerError: a file or folder is another one.
        """
        paths, before = (*self.inputs, *self.given, *self.files), json.loads(key)
        for path, was in zip(paths, (*before["inputs"], *before["files"]), strict=True):
            if not path.exists() or self._identity(path) != was:
                raise DimmerError(
                    f"stage '{self.name}': {path} was made anew or edited meanwhile; run the same command again"
                )

    def act(self, folder: Path) -> None:
        """Runs the action, in the folder that becomes the stage's."""
        self.action(folder)

    def run(self) -> StageResult:
        """Make the folder by calling the action, unless it is there already and nothing it came from has changed.

        Two runs of one stage at the same time wait for each other; the second finds the work done.

        Raises:
            DimmerError: an input is missing or was made anew meanwhile, the disk is full, or the folder holds what no
                stage has made.
        """
        start = time.monotonic()
        folder = self.folder.absolute()
        with _full_disk_explained(self.name, folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with locked(folder):
                key = json.dumps(self.key(), sort_keys=True)
                if _is_whole(folder, key):
                    if (folder / KEY_FILE).exists():
                        # Of a run that was stopped at its very end.
                        (folder / KEY_FILE).unlink()
                    return StageResult(self.name, time.monotonic() - start, cached=True)
                _refuse_foreign(self.name, folder)
                partial = _prepare_partial(folder, key, self.keep_partial)
                try:
                    self.act(partial)
                    self._check_same(key)
                    _finish(partial, folder, key, time.monotonic() - start)
                except BaseException:
                    if not self.keep_partial:
                        shutil.rmtree(partial, ignore_errors=True)
                    raise
        return StageResult(self.name, time.monotonic() - start, cached=False)


def atomic_write(path: Path, content: bytes | str) -> bool:
    """Write a file so that whoever reads it, at any moment, sees the old content or the new one.

    Returns:
        False if the file already held just this content and was left alone.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush(path.parent)
    return True


def _how_to_make(path: Path) -> str:
    """What to type for a file or folder that is missing: build/<model>[/<target>]/<stage>[/...] tells its maker."""
    parts = path.absolute().parts
    for at in range(len(parts) - 1, 1, -1):
        verb = VERBS.get(parts[at])
        if verb is None:
            continue
        of_target = verb in VERBS_OF_TARGETS
        if at < 3 and of_target:
            break
        words = f" --model {parts[at - 2]} --target {parts[at - 1]}" if of_target else f" --model {parts[at - 1]}"
        return f"first type 'python -m pipeline.{verb}{words}'"
    return "check the path"


def _is_made(path: Path) -> bool:
    """Whether a manifest that a stage wrote, whole, lies in a folder that somebody names, or beside a file."""
    folder = path if path.is_dir() else path.parent
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        outputs = manifest["outputs"]
        return "stage" in manifest["key"] and isinstance(outputs, dict) and (path.is_dir() or path.name in outputs)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return False


def _check_made(path: Path) -> None:
    """Of an input that a stage made: that it is still what that stage left.

    Raises:
        DimmerError: it was damaged or edited since.
    """
    folder = path if path.is_dir() else path.parent
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise DimmerError(f"{folder / MANIFEST} is damaged; remove {folder} and build again") from error
    if isinstance(manifest, dict) and not manifest.keys() & {"key", "outputs"}:
        # A bundle has another file of this name.
        return
    outputs = manifest.get("outputs") if isinstance(manifest, dict) else None
    if not isinstance(outputs, dict):
        raise DimmerError(f"{folder / MANIFEST} is damaged; remove {folder} and build again")
    wanted = outputs if path.is_dir() else {path.name: outputs.get(path.name)}
    for name, made in wanted.items():
        if not (folder / name).is_file() or file_hash(folder / name) != made:
            raise DimmerError(f"{folder / name} is not what its stage left; remove {folder} and build again")


def _outputs(folder: Path) -> dict[str, str]:
    """Relative name -> SHA-256 of each file below ``folder`` except the manifest, always read anew."""
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*")):
        relative = file.relative_to(folder).as_posix()
        if file.is_file() and relative not in (MANIFEST, KEY_FILE):
            with file.open("rb") as stream:
                found[relative] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def _is_whole(folder: Path, key: str) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        return bool(manifest["key"] == json.loads(key) and manifest["outputs"] == _outputs(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _refuse_foreign(name: str, folder: Path) -> None:
    """What a stage did not make, it does not replace: a folder that a person named by mistake holds their work."""
    try:
        ours = folder.is_dir() and (not any(folder.iterdir()) or is_manifest(folder / MANIFEST))
    except OSError as error:
        raise DimmerError(f"stage '{name}': {folder} cannot be read ({error.strerror}): name another folder") from error
    if folder.exists() and not ours:
        raise DimmerError(
            f"stage '{name}': {folder} is there already and no result of a stage, which would replace all of it: "
            "name a new folder, or move that away"
        )


def is_manifest(path: Path) -> bool:
    """Whether a file is a manifest, or the beginning of one that is damaged."""
    try:
        return "".join(path.read_text(errors="replace").split()).startswith('{"key"')
    except OSError:
        return False


def _prepare_partial(folder: Path, key: str, keep: bool) -> Path:
    """The folder to write into. What killed runs left is swept away: the caller holds the lock, so it is stale."""
    partial = partial_of(folder)
    shutil.rmtree(retired_of(folder), ignore_errors=True)
    if keep and resume(folder, key):
        return partial
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir()
    if keep:
        atomic_write(partial / KEY_FILE, key)
    return partial


def _finish(partial: Path, folder: Path, key: str, seconds: float) -> None:
    outputs = _outputs(partial)
    for path in partial.rglob("*"):
        _flush(path)
    manifest = {"key": json.loads(key), "outputs": outputs, "seconds": round(seconds, 3)}
    atomic_write(partial / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    retired = retired_of(folder)
    if folder.exists():
        folder.rename(retired)
    partial.rename(folder)
    _flush(folder.parent)
    # Last of all: up to here a folder that could not be finished is resumed by its key.
    (folder / KEY_FILE).unlink(missing_ok=True)
    shutil.rmtree(retired, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path, wait: bool = True) -> Iterator[None]:
    """One process at a time; the kernel drops the lock of a process that dies.

    Raises:
        BlockingIOError: another one has the folder, and this one does not wait.
    """
    with folder.with_name(f".{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


@contextmanager
def _full_disk_explained(name: str, folder: Path) -> Iterator[None]:
    try:
        yield
    except DimmerError:
        raise
    except Exception as error:
        # Libraries wrap a failed write in errors of their own: then the empty disk itself is the sign.
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not full:
            existing = next(place for place in (folder, *folder.parents) if place.exists())
            disk = shutil.disk_usage(existing)
            # What is no disk, such as /sys, has no size either.
            full = disk.total > 0 and disk.free < _FULL_DISK_BYTES
        if full:
            raise DimmerError(
                f"stage '{name}': no space left on the disk of {folder}; free some and run the same command again"
            ) from error
        raise
