# SPDX-License-Identifier: Apache-2.0
"""requirements/*.txt and constraints.txt -> requirements.lock: every package with the sha256 of its wheels.

    python -m tools.lock          everything anew
    python -m tools.lock --new    only what was added to requirements/ or constraints.txt, or has another version

pip is asked, without installing or fetching anything but metadata, which wheel it would take for each Python and
machine that Dimmer supports.

torch is the one package of which there are two kinds, and stands in lists of its own: a list with hashes installs
everything that it names, and PyPI's build needs gigabytes of CUDA. Nor can both be told from one line: of what
``torch==2.13.0`` allows pip prefers a wheel whose sha256 its index names, and a folder of wheels (PIP_FIND_LINKS) names
none. So requirements-cuda.lock has PyPI's build and what it needs; requirements-cpu.lock has ``torch==2.13.0+cpu`` with
the sha256 of those builds that pip sees here, as it is configured, and of those that stood there before.

    pip install --require-hashes -r requirements.lock -r requirements-cpu.lock
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
APART = ("adapt.txt", "augment.txt", "packages.txt", "sign.txt")
"""What slow tests, signing, networks of others and augmentation by libraries need: nobody has to have it in .venv."""
SOURCES = (
    *sorted(path for path in (ROOT / "requirements").glob("*.txt") if path.name not in APART),
    ROOT / "constraints.txt",
)
LOCK, CPU_LOCK, CUDA_LOCK = "requirements.lock", "requirements-cpu.lock", "requirements-cuda.lock"
# The oldest of each that the distributions ship which README names: Debian 12, Ubuntu 24.04, Debian 13.
PYTHONS = ("3.11.2", "3.12.3", "3.13.5")
MACHINES = ("x86_64", "aarch64")
# Of the C library, those that wheels name, up to what Debian 12 has. pip's time grows with their number.
GLIBC_MINORS = (35, 34, 31, 28, 27, 26, 24, 17)
TORCH = "torch"

Hashes = Mapping[str, frozenset[str]]
"""Package -> sha256 of its wheels."""


class LockError(Exception):
    """One line for whoever runs the tool."""


@dataclass(frozen=True)
class Platform:
    """A Python on a machine."""

    python: str
    machine: str

    @property
    def options(self) -> list[str]:
        """What tells pip to look for its wheels."""
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in GLIBC_MINORS] + [f"manylinux2014_{self.machine}"]
        return ["--python-version", self.python, *(word for tag in tags for word in ("--platform", tag))]


PLATFORMS = tuple(Platform(python, machine) for python in PYTHONS for machine in MACHINES)


def normalised(name: str) -> str:
    """A package's name as PyPI compares them.

    >>> normalised("PyYAML_env.tag")
    'pyyaml-env-tag'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(texts: Iterable[str]) -> dict[str, str]:
    """Package -> version, of lines ``name==version``; a line may leave the version to another one.

    Raises:
        LockError: a requirement that nothing pins.
    """
    pins: dict[str, str] = {}
    loose: dict[str, str] = {}
    for line in (line.split("#")[0].strip() for text in texts for line in text.splitlines()):
        if not line or line.startswith("-"):
            continue
        match = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?(?:==([\w.!+]+)|.*)", line)
        if match is None:
            raise LockError(f"'{line}' is no requirement: write name==version")
        if match[2]:
            pins[normalised(match[1])] = match[2]
        else:
            loose[normalised(match[1])] = line
    for name, line in loose.items():
        if name not in pins:
            raise LockError(f"'{line}' pins no version: write name==version, or pin it in constraints.txt")
    return pins


def report(requirements: Iterable[str], options: Iterable[str], environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """What pip would install, as its report says.

    Raises:
        LockError: pip finds no such set.
    """
    with tempfile.TemporaryDirectory() as work:
        written = Path(work) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        command += ["--only-binary", ":all:", "--target", str(Path(work) / "nowhere"), "--report", str(written)]
        done = subprocess.run(
            [*command, *options, *requirements], env={**environment}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip said nothing"]
            raise LockError(f"pip finds no such packages ({said[0]})")
        found: list[dict[str, Any]] = json.loads(written.read_text())["install"]
        return found


def from_pypi() -> dict[str, str]:
    """An environment in which pip sees PyPI, and no other place that this machine may be configured for."""
    others = ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT")
    return {**{k: v for k, v in os.environ.items() if k not in others}, "PIP_CONFIG_FILE": os.devnull}


def hashes_of(installs: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """Package -> sha256 of the wheel that a report names."""
    return {
        normalised(item["metadata"]["name"]): frozenset([item["download_info"]["archive_info"]["hashes"]["sha256"]])
        for item in installs
    }


def merged(parts: Iterable[Hashes]) -> dict[str, frozenset[str]]:
    """The hashes of all parts.

    >>> merged([{"a": frozenset("1")}, {"a": frozenset("2"), "b": frozenset("3")}])["a"] == frozenset("12")
    True
    """
    everything: dict[str, frozenset[str]] = {}
    for part in parts:
        for name, found in part.items():
            everything[name] = everything.get(name, frozenset()) | found
    return everything


def wheels(pins: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The sha256 of PyPI's wheels for every platform.

    Raises:
        LockError: a package has no wheel for one of them.
    """
    wanted = [f"{name}=={version}" for name, version in pins.items()]

    def of(platform: Platform) -> Hashes:
        try:
            return hashes_of(report(wanted, ["--no-deps", *platform.options], from_pypi()))
        except LockError as error:
            raise LockError(f"Python {platform.python} on {platform.machine}: {error}") from error

    with ThreadPoolExecutor(2) as pool:
        return merged(pool.map(of, PLATFORMS))


def gpu_pins(pins: Mapping[str, str]) -> dict[str, str]:
    """Package -> version, of what PyPI's torch needs beyond the pins."""
    known = "".join(f"{name}=={version}\n" for name, version in pins.items())
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write(known)
        constraints.flush()
        options = ["--constraint", constraints.name, *Platform(PYTHONS[0], MACHINES[0]).options]
        found = report([f"{TORCH}=={pins[TORCH]}"], options, from_pypi())
    versions = {normalised(item["metadata"]["name"]): str(item["metadata"]["version"]) for item in found}
    return {name: version for name, version in versions.items() if name not in pins}


def cpu_builds(version: str) -> frozenset[str]:
    """The sha256 of CPU builds of torch that pip sees as it is configured here; empty where it sees none."""
    found: set[str] = set()
    for platform in PLATFORMS:
        try:
            (item,) = report([f"{TORCH}=={version}"], ["--no-deps", *platform.options], os.environ)
        except LockError:
            continue
        if "+cpu" in item["metadata"]["version"]:
            found |= hashes_of([item])[TORCH]
    return frozenset(found)


def lock_text(title: str, pins: Mapping[str, str], hashes: Hashes) -> str:
    """A list for ``pip install --require-hashes -r``."""
    lines = [f"# {title}", "# Made by ./nox -s lock from requirements/ and constraints.txt; do not edit."]
    for name in sorted(pins):
        lines.append(f"{name}=={pins[name]} \\")
        lines += [f"    --hash=sha256:{digest} \\" for digest in sorted(hashes[name])]
        lines[-1] = lines[-1].removesuffix(" \\")
    return "\n".join(lines) + "\n"


def read_lock(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Package -> version and sha256, of what `lock_text` wrote."""
    entries = re.findall(r"^([\w.-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", text, re.MULTILINE)
    return {name: (version, frozenset(re.findall(r"[0-9a-f]{64}", rest))) for name, version, rest in entries}


def _listed(name: str) -> dict[str, tuple[str, frozenset[str]]]:
    path = ROOT / name
    return read_lock(path.read_text()) if path.is_file() else {}


def main() -> None:
    """Write the lists."""
    parser = argparse.ArgumentParser(description=f"Write {LOCK}, {CPU_LOCK} and {CUDA_LOCK}.")
    parser.add_argument(
        "--new",
        action="store_true",
        help="Ask only for what the lists do not have at its version; CUDA stays as it is.",
    )
    only_new = parser.parse_args().new
    known = {} if not only_new else {**_listed(LOCK), **_listed(CUDA_LOCK)}
    try:
        pins = read_pins(path.read_text() for path in SOURCES)
        same_torch = known.get(TORCH, ("",))[0] == pins[TORCH]
        gpu = {name: _listed(CUDA_LOCK)[name][0] for name in _listed(CUDA_LOCK)} if same_torch else gpu_pins(pins)
        gpu.pop(TORCH, None)
        wanted = {**pins, **gpu}
        kept = {name: known[name][1] for name, pinned in wanted.items() if known.get(name, ("",))[0] == pinned}
        asked = {name: pinned for name, pinned in wanted.items() if name not in kept}
        hashes = {**kept, **(wheels(asked) if asked else {})}
        builds = frozenset() if same_torch else cpu_builds(pins[TORCH])
    except LockError as error:
        sys.exit(f"error: {error}")
    cpu = ROOT / CPU_LOCK
    version = f"{pins[TORCH]}+cpu"
    before, old = _listed(CPU_LOCK).get(TORCH, ("", frozenset()))
    builds |= old if before == version else frozenset()
    others = {name: pinned for name, pinned in pins.items() if name != TORCH}
    (ROOT / LOCK).write_text(lock_text("Everything but torch, which one of two other lists has.", others, hashes))
    cuda = {TORCH: pins[TORCH], **gpu}
    (ROOT / CUDA_LOCK).write_text(lock_text("torch as PyPI has it, and the CUDA that it needs.", cuda, hashes))
    if builds:
        cpu.write_text(
            lock_text("Builds of torch without CUDA, wherever pip has them from.", {TORCH: version}, {TORCH: builds})
        )
    print(f"{LOCK}: {len(others)} packages, {CUDA_LOCK}: {len(cuda)}, {CPU_LOCK}: {len(builds)} builds of torch")


if __name__ == "__main__":
    main()
