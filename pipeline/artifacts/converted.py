"""What conversion leaves: a `.tflite` a mode."""

from __future__ import annotations

import json
from pathlib import Path

from dimmer.firmware_gen.read.modes import ModeSource

MODES = "modes.json"


def mode_sources(folder: Path) -> list[ModeSource]:
    """The modes that `run` wrote, in the order of their ids."""
    contents = json.loads((folder / MODES).read_text())
    return [ModeSource(e["name"], folder / e["file"], tuple(e["boundaries"])) for e in contents["modes"]]
