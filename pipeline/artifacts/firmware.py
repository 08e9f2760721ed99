"""What the firmware stage leaves."""

from __future__ import annotations

import json
from pathlib import Path

RESULT = "firmware.json"


def firmware_folder(build: Path, target: str) -> Path:
    """Where `run` leaves firmware.elf and firmware.json."""
    return build / target / "firmware"


def firmware_modes(build: Path, target: str) -> tuple[str, ...]:
    """Names of the modes in a target's firmware, in the order of their ids."""
    figures = json.loads((firmware_folder(build, target) / RESULT).read_text())
    return tuple(mode["name"] for mode in figures["modes"])
