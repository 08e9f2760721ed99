"""What conversion leaves: a `.tflite` a mode."""

from __future__ import annotations

import json
from pathlib import Path

from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.modes.mode import Mode

MODES = "modes.json"


def boundaries(name: str) -> list[str]:
    """The tensor that is alive after each position of a mode but the last; a skipped block repeats the one before."""
    alive = ["stem"]
    for s, stage in enumerate(Mode.parse(name).blocks):
        for b, bits in enumerate(stage):
            alive.append(f"{s}.{b}.out" if bits else alive[-1])
    return alive


def positions(name: str) -> list[str]:
    """Names of the schedule's positions: stem, blocks, head."""
    stages = Mode.parse(name).blocks
    return ["stem", *(f"{s}.{b}" for s, stage in enumerate(stages) for b in range(len(stage))), "head"]


def mode_sources(folder: Path) -> list[ModeSource]:
    """The modes that `run` wrote, in the order of their ids."""
    contents = json.loads((folder / MODES).read_text())
    return [ModeSource(e["name"], folder / e["file"], tuple(e["boundaries"])) for e in contents["modes"]]
