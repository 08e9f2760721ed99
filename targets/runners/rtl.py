# SPDX-License-Identifier: Apache-2.0
"""A core that is simulated from its RTL: Verilator makes a program of it, which is built once and kept.

The simulator lies in the builds' folder, ``simulators/<target>-<key>``. The key is all that it depends on: the core's
sources and our own, macros, flags, and what Verilator and the C++ compiler say of their versions.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from dimmer import children
from dimmer.project import project
from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.toolchain import require

FOLDER = "simulators"
"""Of all simulators, below the builds' folder."""
EXTRA = "rtl"
"""The extra of Dimmer's distribution that brings the cores."""
ADVICE = f"type pip install 'dimmer-nn[{EXTRA}]'"

_VERILATOR, _COMPILER = "verilator", "g++"
# What is not initialised, and what is unknown, has the same value in every run. That nothing is checked and that
# warnings are no errors is because the sources are not ours. BLKANDNBLK stands for generate loops of CV32E40P that tie
# parts of a vector to constants.
_FLAGS = (
    *("--cc", "--exe", "--build", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert"),
    *("-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-BLKANDNBLK", "--top-module", "board", "+define+SYNTHESIS"),
)
_MAKE_FLAGS = "OPT_FAST=-O2 OPT_SLOW=-O0 OPT_GLOBAL=-O1"
_BUILD_S = 3600
_MARKS = ("%Error", "error:", "fatal error", "undefined reference", "No space left", "Error ")


@dataclass(frozen=True)
class Rtl:
    """A core's RTL, and what is put around it.

    Attributes:
        name: of the target.
        package: distribution on PyPI that brings the core's sources.
        folder: of these sources, below site-packages.
        files: list of them in the order in which they are read, a path in `folder` a line; "+incdir+" stands before a
            folder of included files. Its own path counts from target.toml.
        sources: around the core: cells, the wrapper with the ports of board.sv, that, and the testbench. Paths as of
            `files`.
        defines: macro of the SystemVerilog -> its value.
    """

    name: str
    package: str
    folder: str
    files: Path
    sources: tuple[Path, ...]
    defines: Mapping[str, str]


@dataclass(frozen=True)
class Sources:
    """Where a core's sources lie here.

    Attributes:
        files: in the order in which they are read.
        include_dirs: of files that these name.
    """

    files: tuple[Path, ...]
    include_dirs: tuple[Path, ...]


def package_folder(name: str, package: str, folder: str) -> Path:
    """A folder below site-packages that a package brings.

    Args:
        name: of the target that needs it.

    Raises:
        TargetError: the package is not installed, or lacks the folder.
    """
    try:
        found = distribution(package)
    except PackageNotFoundError as error:
        raise TargetError(f"{name} needs the package {package}: {ADVICE}") from error
    path = Path(str(found.locate_file(folder)))
    if not path.is_dir():
        raise TargetError(f"{package} {found.version} has no {folder}: {ADVICE}")
    return path


def find_sources(rtl: Rtl) -> Sources:
    """The core's sources in its package.

    Raises:
        TargetError: the package is not installed, or lacks one of them.
    """
    root = package_folder(rtl.name, rtl.package, rtl.folder)
    files: list[Path] = []
    include_dirs: list[Path] = []
    for line in (line.split("#")[0].strip() for line in rtl.files.read_text().splitlines()):
        if not line:
            continue
        path = root / line.removeprefix("+incdir+")
        if not path.exists():
            raise TargetError(
                f"{rtl.package} {distribution(rtl.package).version} has no {path.relative_to(root)}: {ADVICE}"
            )
        (include_dirs if line.startswith("+incdir+") else files).append(path)
    return Sources(tuple(files), tuple(include_dirs))


def simulator_key(rtl: Rtl) -> str:
    """What tells one simulator from another: a hash of all that it is made of.

    Raises:
        TargetError: as `find_sources`.
    """
    core = find_sources(rtl)
    included = [path for folder in core.include_dirs for path in sorted(folder.glob("*.sv*"))]
    words = [rtl.package, platform.machine(), _version(_VERILATOR), _version(_COMPILER), _MAKE_FLAGS, *_FLAGS]
    words += [f"{name}={value}" for name, value in sorted(rtl.defines.items())]
    digest = hashlib.sha256("\0".join(words).encode())
    for path in (*core.files, *included, *rtl.sources):
        content = path.read_bytes()
        digest.update(f"\0{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:32]


def simulators() -> Path:
    """Where they are kept."""
    return project().build / FOLDER


def kept_simulators(builds: Path, target: str | None = None) -> list[Path]:
    """The simulators below a builds' folder, of one target or of all, and what killed builds have left of one."""
    # Locks stay: a build may wait for one.
    found = (path for path in (builds / FOLDER).glob("*-*") if path.is_file() and path.suffix != ".lock")
    return sorted(path for path in found if target in (None, _target_of(path)))


def _target_of(path: Path) -> str:
    return path.name.removeprefix(".").rpartition("-")[0]


def simulator(rtl: Rtl, packages: Mapping[str, str], say: Callable[[str], None] = lambda text: None) -> Path:
    """The core's simulator, built where it is not kept.

    Two processes that want it at the same time wait for each other, and one builds it. A build that is killed leaves
    nothing that would be taken for a simulator.

    Args:
        packages: command that is needed -> Debian package.
        say: told of a build, which takes about half a minute of one core.

    Raises:
        TargetError: Verilator, the compiler or the core's package are missing, the core does not compile, or the
            folder cannot be written.
    """
    require(packages)
    folder = simulators()
    made = folder / f"{rtl.name}-{simulator_key(rtl)}"
    if made.is_file():
        return made
    say(f"building the simulator of {rtl.name}, once")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f".{rtl.name}.lock"):
            if not made.is_file():
                _build(rtl, made)
    except OSError as error:
        raise TargetError(
            f"the simulator of {rtl.name} cannot be written to {folder} ({error.strerror}): make room, or name another "
            "folder in DIMMER_BUILD"
        ) from error
    return made


def _build(rtl: Rtl, made: Path) -> None:
    with children.scratch() as work:
        _verilate(rtl, work)
        # Swept away here, under the lock: what a killed build had begun to copy.
        for left in made.parent.glob(f".{rtl.name}-*.new"):
            left.unlink()
        beside = made.with_name(f".{made.name}.new")
        shutil.copy(work / "simulator", beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(beside, made)


def _verilate(rtl: Rtl, work: Path) -> None:
    """Leaves the program `simulator` in a folder."""
    core = find_sources(rtl)
    cache = f" OBJCACHE={shutil.which('ccache')}" if shutil.which("ccache") else ""
    command = [_VERILATOR, *_FLAGS, "--Mdir", str(work), "-o", "simulator"]
    command += ["--build-jobs", str(os.cpu_count() or 1), "-MAKEFLAGS", _MAKE_FLAGS + cache]
    command += [f"+define+{name}={value}" for name, value in rtl.defines.items()]
    command += [f"+incdir+{folder}" for folder in core.include_dirs]
    command += [str(path) for path in (*core.files, *rtl.sources)]
    try:
        done = children.run(command, cwd=work, timeout_s=_BUILD_S)
    except subprocess.TimeoutExpired as error:
        raise TargetError(f"the simulator of {rtl.name} was not built within {_BUILD_S} s") from error
    except OSError as error:
        raise TargetError(f"{_VERILATOR} cannot be run: {error}") from error
    if done.returncode or not (work / "simulator").is_file():
        said = _first_complaint(f"{done.stdout}\n{done.stderr}") or children.how_it_ended(done.returncode)
        raise TargetError(f"{_VERILATOR} cannot build {rtl.name}: {said}")


def _first_complaint(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in lines if any(mark in line for mark in _MARKS)), lines[-1] if lines else "")


@cache
def _version(command: str) -> str:
    """The first line of its answer to --version; nothing where it is not installed."""
    try:
        return children.run([command, "--version"], timeout_s=30).stdout.partition("\n")[0]
    except (OSError, subprocess.TimeoutExpired):
        return ""


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time; the kernel drops the lock of a process that dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
