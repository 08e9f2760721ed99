# SPDX-License-Identifier: Apache-2.0
"""Generated C and shared libraries that are kept from one program to the next, by their contents.

They lie in ``$DIMMER_CACHE`` (else ``~/.cache/dimmer``), folder ``host``. Removing it costs the time to make them anew.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.library import INCLUDE, RUNTIME, sources
from dimmer.pipeline.hosted.generated import GENERAL, HOST, Generated, find_generated
from dimmer.project import cache_folder
from dimmer.targets import load_target
from dimmer.targets.kit.toolchain import Toolchain, compile_library, compiler_of
from dimmer.targets.target import TARGETS

SHIM = TARGETS / "library" / "library.c"
_GENERATOR = RUNTIME.parent


def generated_from(files: Sequence[Path]) -> Generated:
    """The C of `.tflite` files, one mode each, the most expensive first; generated where it is not kept.

    Raises:
        FirmwareGenError: a file cannot be read or run, or the modes do not fit together.
        DimmerError: the cache cannot be written.
    """
    limit = load_target(HOST).scratch_limit
    contents = [part for path in files for part in (path.stem.encode(), _bytes(path))]
    key = _key([str(limit).encode(), *contents, *_files(_GENERATOR.rglob("*.py"))])
    folder = _cache() / f"c-{key}"
    if not folder.is_dir():
        _generate(files, limit, folder)
    return find_generated(folder)


def _generate(files: Sequence[Path], limit: int, folder: Path) -> None:
    # Not above: a model that is kept is loaded without the generator.
    from dimmer.firmware_gen.emit.policy import even_policy
    from dimmer.firmware_gen.generate import generate
    from dimmer.firmware_gen.read.modes import ModeSource

    modes = [ModeSource(path.stem, path) for path in files]
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as work:
            made = Path(work) / "c"
            generate(modes, made, even_policy(len(modes)), None, limit, files[0].stem)
            if not folder.is_dir():
                os.replace(made, folder)
    except OSError as error:
        # Of two programs that make it at the same time the first one wins.
        if not folder.is_dir():
            raise _unwritable(folder.parent, error) from error


def library_of(generated: Generated) -> Path:
    """Its shared library, compiled where it is not kept.

    Raises:
        TargetError: there is no compiler, or the C does not compile.
        DimmerError: the cache cannot be written.
    """
    toolchain = load_target(HOST).toolchain
    own = [generated.folder / GENERAL, generated.header, generated.source]
    parts = [*_identity(toolchain), *_files(own), *_files(RUNTIME.rglob("*.[ch]")), *_files([SHIM])]
    library = _cache() / f"{_key(parts)}.so"
    if not library.is_file():
        inputs = [SHIM, generated.source, *sources(generated.kernels)]
        try:
            compile_library(toolchain, inputs, [generated.folder, INCLUDE], library)
        except OSError as error:
            raise _unwritable(library.parent, error) from error
    return library


def _identity(toolchain: Toolchain) -> list[bytes]:
    """The compiler as it lies here, its flags, and the processor."""
    place = Path(shutil.which(compiler_of(toolchain)) or "").resolve()
    stat = place.stat()
    words = (platform.machine(), place, stat.st_size, stat.st_mtime_ns, *toolchain.flags)
    return [str(word).encode() for word in words]


def _files(paths: Iterable[Path]) -> list[bytes]:
    """Names and contents."""
    return [part for path in sorted(paths) for part in (path.name.encode(), _bytes(path))]


def _key(parts: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:32]


def _bytes(path: Path) -> bytes:
    try:
        # A pipe would never end.
        if path.exists() and not path.is_file():
            raise DimmerError(f"{path} is no file; name a .tflite file")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DimmerError(f"{path} cannot be read ({reason}); check the path") from error


def _cache() -> Path:
    folder = cache_folder() / "host"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return folder


def _unwritable(folder: Path, error: OSError) -> DimmerError:
    return DimmerError(f"{folder} cannot be written ({error.strerror}): name another folder in DIMMER_CACHE")
