# SPDX-License-Identifier: Apache-2.0
"""The stages before a verification: exactness first, then accuracies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import firmware, verify
from dimmer.pipeline.artifacts.verification import (
    Comparison,
    Outcome,
    accuracy_folder,
    comparison_folder,
    verify_folder,
)
from dimmer.pipeline.core.stage import Stage
from dimmer.pipeline.verification import accuracies, modes
from dimmer.pipeline.verification.stages import accuracy_stage, compare_stage, firmware_files
from dimmer.targets import load_target
from tests.tiny import TinyBuild, silent

pytestmark = pytest.mark.xdist_group("tiny")


def test_what_differs_is_told_before_anything_is_measured(
    tiny_converted: TinyBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, build = load_target("host"), tiny_converted.build
    firmware.run(tiny_converted.recipe, build, host, silent)
    for folder in (comparison_folder(build, "host"), accuracy_folder(build), verify_folder(build, "host")):
        shutil.rmtree(folder, ignore_errors=True)
    order: list[str] = []

    def differs(*_: object) -> None:
        order.append("compare")
        raise DimmerError("host differs")

    def measures(*_: object) -> None:
        order.append("accuracy")

    with monkeypatch.context() as patch:
        patch.setattr(modes, "refuse_mismatches", differs)
        patch.setattr(accuracies, "measure_accuracies", measures)
        with pytest.raises(DimmerError, match="host differs"):
            verify.run(tiny_converted.recipe, build, host, silent)
    assert order == ["compare"]
    verify.run(tiny_converted.recipe, build, host, silent)
    found = Comparison.load(comparison_folder(build, "host"))
    assert {name: set(one.modes) for name, one in found.backends.items()} == {"host": {Outcome(4, 0, None)}}
    assert verify.run(tiny_converted.recipe, build, host, silent).cached


def test_a_comparison_needs_no_weights_and_accuracies_no_target(tiny_converted: TinyBuild, tmp_path: Path) -> None:
    """New weights that give the same files are not compared anew; another target measures nothing anew."""
    board, recipe, build = load_target("mps2-an386"), tiny_converted.recipe, tiny_converted.build

    def read(stage: Stage) -> set[Path]:
        return set(stage.inputs)

    compared, measured = compare_stage(recipe, build, board, silent), accuracy_stage(recipe, build, silent)
    assert read(compared) == {build / "convert", *firmware_files(build, "host", "mps2-an386")}
    assert not read(measured) & set(firmware_files(build, "mps2-an386"))
    assert any(path.name == "checkpoint.safetensors" for path in measured.inputs)
    assert comparison_folder(build, "mps2-an386") in verify.stage(recipe, build, board, silent).inputs
