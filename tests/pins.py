# SPDX-License-Identifier: Apache-2.0
"""The versions that requirements/ and constraints.txt pin."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def pins() -> dict[str, str]:
    """Package -> version."""
    files = [*sorted((ROOT / "requirements").glob("*.txt")), ROOT / "constraints.txt"]
    lines = [line for path in files for line in path.read_text().splitlines()]
    found = [re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;#]+)", line) for line in lines]
    return {match[1]: match[2] for match in found if match}
