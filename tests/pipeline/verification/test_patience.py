# SPDX-License-Identifier: Apache-2.0
"""How long a board may say nothing: six inferences of its largest mode, however slow it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.pipeline.artifacts.firmware import firmware_folder
from dimmer.pipeline.verification.patience import SILENT_S, patience_s
from dimmer.targets import load_target
from tests.pipeline.artifact_examples import firmware


@pytest.mark.parametrize(
    ("target", "macs", "least", "most"),
    [
        # About 4.5 cycles a MAC at 12 MHz are 92 s between two lines, or half as many again.
        ("pico", 41_000_000, 138, 400),
        # 20 million cycles at 4 MHz take 5 s, and six of them 30.
        ("nucleo-l4r5zi", 20_183_936, 60, 300),
        ("nrf52840dk", 2_656_768, 0.2, 20),
    ],
)
def test_it_goes_by_clock_and_core(tmp_path: Path, target: str, macs: int, least: float, most: float) -> None:
    made = firmware()
    modes = tuple(replace(mode, macs=macs // (1 + number)) for number, mode in enumerate(made.modes))
    folder = firmware_folder(tmp_path, target)
    folder.mkdir(parents=True)
    replace(made, modes=modes).save(folder)
    assert least <= patience_s(load_target(target), tmp_path) <= most


def test_without_a_build_nothing_is_known(tmp_path: Path) -> None:
    assert patience_s(load_target("pico"), tmp_path) == SILENT_S
    assert patience_s(load_target("mps2-an386"), tmp_path) == SILENT_S
