# SPDX-License-Identifier: Apache-2.0
"""A bundle for this machine with everything that one needs, but that its program does nothing."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from pathlib import Path

from dimmer.pipeline.artifacts.bundle import NEEDED
from dimmer.targets.runners.ssh import SUMS

FILES = tuple(name for name in NEEDED if name != "bin/dimmer-run")


def whole_bundle(folder: Path) -> Path:
    """One of model lamp, version 1, with modes 88 and 80."""
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    for name in ("88", "80"):
        (folder / "selftest" / f"{name}.i8").write_text(name)
    (folder / "bin/dimmer-check").chmod(0o755)
    shutil.copy("/bin/true", folder / "bin/dimmer-run")
    manifest = {
        **{"model": "lamp", "version": "1", "architecture": platform.machine(), "tvm": "0.27", "gpu": None},
        **{"modes": [{"name": name, "expected": f"selftest/{name}.i8"} for name in ("88", "80")]},
        **{"files": {"weights.bin": digest(folder / "weights.bin")}},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))
    seal(folder)
    return folder


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def seal(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    (folder / SUMS).write_text("".join(f"{digest(path)}  {path.relative_to(folder)}\n" for path in files))
