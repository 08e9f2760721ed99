"""MLPerf Tiny's models in ../shared, made into firmware for a board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import load_target
from tests.tiny import silent

SHARED = Path(__file__).resolve().parents[3] / "shared" / "models"
RESNET, KWS = SHARED / "pretrainedResnet_quant.tflite", SHARED / "kws_ref_model.tflite"


def figures_of(model: Path, board: str, tmp_path: Path) -> dict[str, Any]:
    """What `firmware.json` says of it, 200 inputs compared with the interpreter."""
    return make(foreign_order([model]), load_target(board), tmp_path / "out", silent)
