"""MLPerf Tiny's models in ../shared, made into firmware for a board."""

from __future__ import annotations

from pathlib import Path

from dimmer.pipeline.artifacts.firmware import Firmware, FirmwareMode
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import load_target
from tests.tiny import silent

SHARED = Path(__file__).resolve().parents[3] / "shared" / "models"
RESNET, KWS = SHARED / "pretrainedResnet_quant.tflite", SHARED / "kws_ref_model.tflite"


def figures_of(model: Path, board: str, tmp_path: Path) -> Firmware:
    """Its figures, 200 inputs compared with the interpreter."""
    return make(foreign_order([model]), load_target(board), tmp_path / "out", silent)


def check_exact(figures: Firmware) -> FirmwareMode:
    """The one mode, if none of its 200 results differs from the interpreter's."""
    (mode,) = figures.modes
    assert mode.verify is not None
    assert (mode.verify.samples, mode.verify.mismatches) == (200, 0)
    return mode
