# SPDX-License-Identifier: Apache-2.0
"""The versions that requirements/ and constraints.txt pin."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APART = ("adapt.txt", "augment.txt", "packages.txt", "sign.txt")
"""What slow tests and signing need, which nobody has to have in .venv."""


def pins() -> dict[str, str]:
    """Package -> version, of what is in .venv."""
    files = [path for path in sorted((ROOT / "requirements").glob("*.txt")) if path.name not in APART]
    files.append(ROOT / "constraints.txt")
    lines = [line for path in files for line in path.read_text().splitlines()]
    found = [re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;#]+)", line) for line in lines]
    return {match[1]: match[2] for match in found if match}
