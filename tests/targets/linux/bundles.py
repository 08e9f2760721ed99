# SPDX-License-Identifier: Apache-2.0
"""Bundles whose program is a shell script, and the installer by itself."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

from dimmer.pipeline.core.stage import ROOT

LINUX = ROOT / "targets" / "linux"
INSTALLER = LINUX / "install.sh"


def make(folder: Path, version: str, program: str, architecture: str = platform.machine(), model: str = "toy") -> Path:
    """A bundle whose program is a shell script."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "dimmer-run").write_text(f"#!/bin/sh\n{program}\n")
    (folder / "bin" / "dimmer-run").chmod(0o755)
    shutil.copy(INSTALLER, folder / "install.sh")
    manifest = {"model": model, "version": version, "architecture": architecture}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    seal(folder)
    return folder


def seal(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(sums))


def current(prefix: Path) -> str:
    return (prefix / "current").readlink().name


def installed(bundle: Path, prefix: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installer by itself, on this machine."""
    command = ["sh", str(bundle / "install.sh"), str(prefix)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stdout
    return done.stderr.splitlines()[-1]


def runs(prefix: Path) -> bool:
    """Whether the current version is whole: its program is there and passes."""
    return subprocess.run([prefix / "current" / "bin" / "dimmer-run", "--self-test"], check=False).returncode == 0
