"""TVM's runtime for a board: the libraries of its wheels, the C header and the licences, in a cache.

The version is that of the TVM which is installed here and compiles the modes, so the two cannot differ. For the
machine that builds, the installed package itself is the source; for another, the wheel of PyPI.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath

from dimmer import children
from dimmer.errors import DimmerError

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
        folder: has lib/, include/ and licences/.
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


def cache_folder() -> Path:
    """For what is downloaded once: $DIMMER_CACHE, else ~/.cache/dimmer."""
    return Path(os.environ.get("DIMMER_CACHE") or Path.home() / ".cache" / "dimmer")


def installed_versions() -> dict[str, str]:
    """Package -> version of the TVM in this environment.

    Raises:
        DimmerError: there is none.
    """
    try:
        return {name: metadata.version(name) for name in PACKAGES}
    except metadata.PackageNotFoundError as error:
        raise DimmerError(
            f"{error.name} is not installed: type './nox setup', which installs requirements.txt"
        ) from error


def tvm_runtime(machine: str, cache: Path) -> TvmRuntime:
    """The runtime for ``machine`` ("aarch64", "x86_64"), made in ``cache`` if it is not there.

    Raises:
        DimmerError: TVM is not installed, or there is no such wheel, or no network.
    """
    versions = installed_versions()
    folder = cache / f"tvm-{versions['apache-tvm']}-{versions['apache-tvm-ffi']}-{machine}-with-cuda"
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


def _place(member: str) -> str | None:
    """Where a file of a wheel goes, or None."""
    for name, source in LIBRARIES.items():
        if member == source:
            return f"lib/{name}"
    if member.startswith(INCLUDES) and member.endswith(".h"):
        return f"include/{member.removeprefix(INCLUDES)}"
    path = PurePosixPath(member)
    if (
        not member.endswith("/")
        and any(word in path.name.lower() for word in _LICENCE_WORDS)
        and path.suffix in ("", ".txt", ".md")
    ):
        return f"licences/{path.parts[0].split('-')[0]}/{path.name}"
    return None


def _from_installed(out: Path) -> None:
    for package in PACKAGES:
        for file in metadata.files(package) or ():
            place = _place(file.as_posix())
            source = Path(str(file.locate()))
            if place is not None and source.is_file():
                _put(out / place, source.read_bytes())


def _from_wheels(versions: dict[str, str], machine: str, work: Path, out: Path) -> None:
    for package, version in versions.items():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        for name in _PLATFORMS:
            command += ["--platform", f"{name}_{machine}"]
        command += ["--dest", str(work), f"{package}=={version}"]
        done = children.run(command)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if "error" in line.lower()] or [
                f"pip {children.how_it_ended(done.returncode)}"
            ]
            raise DimmerError(
                f"the {machine} wheel of {package} {version} cannot be had ({said[0].strip()}): "
                "connect to PyPI once; it is kept"
            )
    for wheel in sorted(work.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                place = _place(member)
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
    shutil.copytree(runtime.licences, bundle / "licences" / "tvm", dirs_exist_ok=True)
