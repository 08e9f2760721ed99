# SPDX-License-Identifier: Apache-2.0
"""Bundles for Linux boards, checked as their own installer checks them, before they leave this machine."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.bundle import MANIFEST, NEEDED, PROGRAMS, is_name
from dimmer.pipeline.core.closure import file_hash
from dimmer.pipeline.inspection.facts import FileFacts
from dimmer.targets.runners.ssh import SIGNATURE, SUMS

_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64"}
_VERIFY_S = 60


def is_bundle(path: Path) -> bool:
    """Whether a folder is a bundle, whole or not."""
    return (path / MANIFEST).is_file() and (path / "install.sh").is_file()


def inspect_bundle(path: Path, signers: Path | None = None) -> FileFacts:
    """What a bundle is, and everything that is wrong with it.

    Args:
        signers: ssh's list of who may sign (`man ssh-keygen`, "ALLOWED SIGNERS", principal "dimmer"); where one is
            given, a bundle that none of them signed is wrong.

    Raises:
        DimmerError: it is no bundle, or the list is not there.
    """
    if signers is not None and not signers.is_file():
        raise DimmerError(f"{signers} is no file: name a list of signers, a line each: dimmer <public key>")
    manifest = _manifest(path)
    files = {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*")) if _is_leaf(file)}
    problems = list(_problems(path, files, manifest))
    missing = {name for name in NEEDED if any(problem.startswith(f"{name} is missing") for problem in problems)}
    problems += [problem for problem in _refused(path, files, manifest) if problem.partition(" ")[0] not in missing]
    signed, wrong = _signature(path, signers)
    problems += wrong
    modes = [str(mode.get("name")) for mode in _list(manifest.get("modes")) if isinstance(mode, Mapping)]
    facts = (
        ("model", f"{manifest.get('model')}, version {manifest.get('version')}"),
        ("for", f"{manifest.get('architecture')}, TVM {manifest.get('tvm')}, GPU {manifest.get('gpu') or 'none'}"),
        ("modes", ", ".join(modes)),
        ("files", f"{len(files)}"),
        ("signed", signed),
    )
    size = sum(file.lstat().st_size for file in files.values())
    return FileFacts(str(path), "bundle", size, facts, tuple(problems))


def _refused(path: Path, files: Mapping[str, Path], manifest: Mapping[str, object]) -> Iterator[str]:
    """What install.sh or the program stumble over although nothing is damaged."""
    again = "build the bundle again"
    text = (path / MANIFEST).read_text(encoding="utf-8")
    for key in ("model", "version", "architecture"):
        value = manifest.get(key)
        # As install.sh reads it, which has no parser: the first line with nothing else.
        line = re.search(rf'^ *"{key}": "([^"\n]*)",*$', text, re.MULTILINE)
        if not isinstance(value, str) or line is None or line[1] != value:
            yield f"{MANIFEST} has no line of its own with a text for {key}, where install.sh looks for it: {again}"
        elif not value or (key != "architecture" and not is_name(value)):
            yield f"{MANIFEST} has a {key} that install.sh refuses: take letters, digits, '.', '_' and '-'"
    modes = [mode.get("expected") for mode in _list(manifest.get("modes")) if isinstance(mode, Mapping)]
    if not modes:
        yield f"{MANIFEST} has no modes: {again}"
    for name in (*NEEDED, *modes):
        if name not in files:
            yield f"{name} is not there, and no bundle runs without it: {again}"
    for name in PROGRAMS:
        if name in files and not files[name].lstat().st_mode & stat.S_IXUSR:
            yield f"{name} cannot be executed: copy the bundle with its modes (cp -p, scp -p), or {again}"


def _problems(path: Path, files: Mapping[str, Path], manifest: Mapping[str, object]) -> Iterator[str]:
    again = "build the bundle again"
    listed: dict[str, str] = {}
    try:
        lines = (path / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        yield f"{SUMS} cannot be read ({error}): {again}"
        return
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in listed or match[2].startswith("/") or ".." in Path(match[2]).parts:
            yield f"{SUMS}, line {number} is no line of a file's own within the bundle: {again}"
            continue
        listed[match[2]] = match[1]
    for name, file in files.items():
        if not stat.S_ISREG(file.lstat().st_mode):
            yield f"{name} is no plain file, and a bundle has no others: {again}"
        elif name not in listed and name not in (SUMS, SIGNATURE):
            yield f"{name} is not in {SUMS}: remove it, or {again}"
    for name, digest in listed.items():
        file = path / name
        if name not in files:
            yield f"{name} is missing: {again}"
        elif stat.S_ISREG(file.lstat().st_mode):
            if file_hash(file) != digest:
                yield f"{name} is damaged: {again}"
            elif (machine := _machine(file)) not in (None, manifest.get("architecture")):
                yield f"{name} is for {machine}, the bundle for {manifest.get('architecture')}: {again}"
    named = manifest.get("files")
    for name, digest in named.items() if isinstance(named, Mapping) else ():
        if listed.get(str(name)) != digest:
            yield f"{MANIFEST} has another {name} than {SUMS}: {again}"


def _is_leaf(path: Path) -> bool:
    return path.is_symlink() or not path.is_dir()


def _machine(path: Path) -> str | None:
    """What an ELF file runs on, as `uname -m` says it; None of other files."""
    with path.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return None
        stream.seek(0)
        try:
            machine = ELFFile(stream)["e_machine"]
        except ELFError:
            return "no machine: it is damaged"
    # NVIDIA's cubins are ELF, too, and for the GPU.
    return None if machine == "EM_CUDA" else _MACHINES.get(machine, str(machine))


def _manifest(path: Path) -> Mapping[str, object]:
    try:
        found = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DimmerError(f"{path} is no bundle ({error}): build it with dimmer build") from error
    if not isinstance(found, dict):
        raise DimmerError(f"{path} is no bundle ({MANIFEST} holds no record): build it with dimmer build")
    return found


def _signature(path: Path, signers: Path | None) -> tuple[str, list[str]]:
    if not (path / SIGNATURE).is_file():
        wrong = ["it is not signed, and signers were named: 'dimmer flash --sign KEY' signs what it installs"]
        return "no", wrong if signers is not None else []
    if signers is None:
        return "yes; by whom was not checked: name those who may with --signers", []
    if shutil.which("ssh-keygen") is None:
        raise DimmerError("ssh-keygen not found: type 'sudo apt-get install openssh-client'")
    verify = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", "dimmer", "-n", "dimmer-bundle"]
    redirected = ["sh", "-c", 'from=$1; shift; exec "$@" <"$from"', "sh", str(path / SUMS)]
    try:
        done = children.run([*redirected, *verify, "-s", str(path / SIGNATURE)], timeout_s=_VERIFY_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return "not checked", [f"the signature cannot be checked ({error}): try again"]
    if done.returncode:
        return "by nobody whom the list names", [f"nobody whom {signers} names signed it: it is forged or damaged"]
    return f"by one whom {signers} names", []


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
