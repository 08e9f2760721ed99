# SPDX-License-Identifier: Apache-2.0
"""MLPerf Tiny's models in ../shared, made into firmware for a board; once in a run, whoever asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.pipeline.artifacts.firmware import Firmware, FirmwareMode
from dimmer.pipeline.core.stage import Stage
from dimmer.pipeline.core.targets import target_files, with_scratch_limit
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import load_target
from tests.tiny import silent

SHARED = Path(__file__).resolve().parents[3] / "shared" / "models"
RESNET, KWS = SHARED / "pretrainedResnet_quant.tflite", SHARED / "kws_ref_model.tflite"

FEW, MANY = 10, 100
"""Random inputs, and as many edge cases, that are compared with the interpreter."""
SAMPLES = [FEW, pytest.param(MANY, marks=pytest.mark.slow)]


def figures_of(builds: Path, model: Path, board: str, samples: int = FEW, limit: int | None = None) -> Firmware:
    """Its figures, `samples` random inputs and as many edge cases compared with the interpreter.

    Args:
        builds: the folder of all builds of this run.
        limit: of scratch, instead of the target's.
    """
    target = with_scratch_limit(load_target(board), limit)
    folder = builds / model.stem / board / f"{samples}-{limit}" / "firmware"

    def action(out: Path) -> None:
        make(foreign_order([model], 2 * samples), target, out, silent)

    # As `foreign_stage`, without the report.
    Stage("firmware", folder, action, [model], files=target_files(target)).run()
    return Firmware.load(folder)


def check_exact(figures: Firmware, samples: int = FEW) -> FirmwareMode:
    """The one mode, if none of its results differs from the interpreter's."""
    (mode,) = figures.modes
    assert mode.verify is not None
    assert (mode.verify.samples, mode.verify.mismatches) == (2 * samples, 0)
    return mode
