# SPDX-License-Identifier: Apache-2.0
"""TVM's runtime for a board: the libraries of its wheels, the C header and the licences, in a cache.

The version is that of the TVM which is installed here and compiles the modes, so the two cannot differ. For the
machine that builds, the installed package itself is the source; for another, the wheel of PyPI, whose sha256 is known.
"""

from __future__ import annotations

import platform
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath

from dimmer.errors import DimmerError
from dimmer.pipeline.tvm.wheels import fetch

PACKAGES = ("apache-tvm", "apache-tvm-ffi")
LIBRARIES = {
    "libtvm_ffi.so": "tvm_ffi/lib/libtvm_ffi.so",
    "libtvm_runtime.so": "tvm/lib/libtvm_runtime.so",
    "libtvm_runtime_cuda.so": "tvm/lib/libtvm_runtime_cuda.so",
}
INCLUDES = "tvm_ffi/include/"
_LICENCE_WORDS = ("license", "licence", "notice")
# The glibc versions that the wheels of these packages may name.
_PLATFORMS = [f"manylinux_2_{minor}" for minor in range(28, 16, -1)] + ["manylinux2014"]


@dataclass(frozen=True)
class TvmRuntime:
    """An unpacked runtime.

    Attributes:
        version: of apache-tvm.
        folder: has lib/, include/ and licences/, in the latter a folder a package with its METADATA and its texts.
    """

    version: str
    machine: str
    folder: Path

    @property
    def include(self) -> Path:
        """Folder of the headers."""
        return self.folder / "include"

    @property
    def libraries(self) -> tuple[Path, ...]:
        """The shared libraries that a bundle needs."""
        return tuple(self.folder / "lib" / name for name in LIBRARIES)

    @property
    def licences(self) -> Path:
        """Folder of the licences that go with them."""
        return self.folder / "licences"


def installed_versions() -> dict[str, str]:
    """Package -> version of the TVM in this environment.

    Raises:
        DimmerError: there is none.
    """
    try:
        return {name: metadata.version(name) for name in PACKAGES}
    except metadata.PackageNotFoundError as error:
        raise DimmerError(f"{error.name} is not installed: type pip install 'dimmer-nn[tvm]'") from error


def tvm_runtime(machine: str, cache: Path) -> TvmRuntime:
    """The runtime for ``machine`` ("aarch64", "x86_64"), made in ``cache`` if it is not there.

    Raises:
        DimmerError: TVM is not installed, or there is no such wheel, or no network.
    """
    versions = installed_versions()
    folder = cache / f"tvm-{versions['apache-tvm']}-{versions['apache-tvm-ffi']}-{machine}-with-metadata"
    runtime = TvmRuntime(versions["apache-tvm"], machine, folder)
    if folder.is_dir():
        return runtime
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".tvm-") as work:
        partial = Path(work) / "runtime"
        if machine == platform.machine():
            _from_installed(partial)
        else:
            _from_wheels(versions, machine, Path(work), partial)
        missing = [name for name in LIBRARIES if not (partial / "lib" / name).is_file()]
        if missing:
            raise DimmerError(
                f"the {machine} packages of TVM {runtime.version} hold no {missing[0]}; use another version"
            )
        try:
            partial.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another build was first
                raise
    return runtime


def _place(package: str, member: str) -> str | None:
    """Where a file of a package's wheel goes, or None. Licences keep their paths, so that none hides another."""
    for name, source in LIBRARIES.items():
        if member == source:
            return f"lib/{name}"
    if member.startswith(INCLUDES) and member.endswith(".h"):
        return f"include/{member.removeprefix(INCLUDES)}"
    path = PurePosixPath(member)
    own = path.parts[0].endswith(".dist-info")
    if own and path.name == "METADATA" and len(path.parts) == 2:
        return f"licences/{package}/METADATA"
    if (
        not member.endswith("/")
        and any(word in path.name.lower() for word in _LICENCE_WORDS)
        and path.suffix in ("", ".txt", ".md")
    ):
        inner = PurePosixPath(path.name) if own else path
        return f"licences/{package}/{inner}"
    return None


def _from_installed(out: Path) -> None:
    for package in PACKAGES:
        for file in metadata.files(package) or ():
            place = _place(package, file.as_posix())
            source = Path(str(file.locate()))
            if place is not None and source.is_file():
                _put(out / place, source.read_bytes())


def _from_wheels(versions: dict[str, str], machine: str, work: Path, out: Path) -> None:
    platforms = [f"{name}_{machine}" for name in _PLATFORMS]
    for package, version in versions.items():
        with zipfile.ZipFile(fetch(package, version, work, platforms)) as archive:
            for member in archive.namelist():
                place = _place(package, member)
                if place is not None:
                    _put(out / place, archive.read(member))


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def copy_runtime(runtime: TvmRuntime, bundle: Path) -> None:
    """Put libraries, licences and the version into a bundle."""
    (bundle / "lib").mkdir(parents=True, exist_ok=True)
    for library in runtime.libraries:
        shutil.copy(library, bundle / "lib" / library.name)
    (bundle / "lib" / "VERSION").write_text(f"{runtime.version}\n")
    shutil.copytree(runtime.licences, bundle / "licences", dirs_exist_ok=True)
