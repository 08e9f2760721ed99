# SPDX-License-Identifier: Apache-2.0
"""How long a board may say nothing, by what is known of its model and of its clock."""

from __future__ import annotations

from pathlib import Path

from dimmer.firmware_gen.variants.cores import features_of
from dimmer.pipeline.artifacts.firmware import Firmware, firmware_folder
from dimmer.targets import Target

SILENT_S = 120.0
"""Where nothing is known."""
_BETWEEN = 6
"""Inferences between two lines of a self-test, of which the best of five is timed."""
_CYCLES_A_MAC, _WITH_DSP = 16.0, 4.0
"""At most: twice what the slowest networks of benchmarks/results.json take, for flash that has the core wait."""


def patience_s(target: Target, build: Path) -> float:
    """Seconds within which a board that tests itself says its next line; SILENT_S where there is no firmware.json.

    Args:
        build: build/<model>.

    Raises:
        DimmerError: firmware.json is damaged.
    """
    folder = firmware_folder(build, target.name)
    if target.board is None or not (folder / "firmware.json").is_file():
        return SILENT_S
    macs = max((mode.macs for mode in Firmware.load(folder).modes), default=0)
    each = _WITH_DSP if "dsp" in features_of(target.core) else _CYCLES_A_MAC
    return _BETWEEN * each * macs / target.board.clock_hz
