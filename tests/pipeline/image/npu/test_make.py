# SPDX-License-Identifier: Apache-2.0
"""What goes into a firmware for an NPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.image.npu.make import STAND_IN, npu_of_target, rehearse, relinked_modes
from dimmer.targets import load_target
from tests.npu import NpuModes


def test_a_target_without_an_npu_is_refused() -> None:
    with pytest.raises(DimmerError, match="host has no NPU"):
        npu_of_target(load_target("host"))
    assert npu_of_target(load_target("ethos-u65-256")).accelerator == "ethos-u65-256"


def test_relinked_with_the_exact_layers_of_their_graphs(npu_modes: NpuModes) -> None:
    assert relinked_modes(npu_modes.modes, npu_modes.graphs) == npu_modes.relinked


def test_the_stand_in_is_there() -> None:
    assert STAND_IN.is_file()


def test_a_mode_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dimmer.pipeline.image.events import SelfTested

    answers = [SelfTested("88", True), SelfTested("80", False)]
    monkeypatch.setattr("dimmer.pipeline.image.npu.make.run_events", lambda *_: answers)
    with pytest.raises(DimmerError, match="does not run 80; do not flash it"):
        rehearse(load_target("ethos-u55-128"), tmp_path / "firmware.elf", ["88", "80"], tmp_path)
