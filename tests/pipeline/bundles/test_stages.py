# SPDX-License-Identifier: Apache-2.0
"""The stages of a target whose engine is TVM: what they depend on. That keys are true is test_keys.py's matter."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.bundle import bundle_folder, bundle_stage_folder, module_folder, tuning_folder
from dimmer.pipeline.bundles.stages import bundle_stage, module_stage
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import load_target
from tests.tiny import silent

pytest.importorskip("tvm", reason="needs apache-tvm")


def test_modules_depend_on_tuning_only_once_there_is_some(tmp_path: Path) -> None:
    jetson = load_target("jetson")
    before = module_stage(tmp_path, jetson, silent)
    tuning_folder(tmp_path, "jetson").mkdir(parents=True)
    after = module_stage(tmp_path, jetson, silent)
    assert list(before.inputs) == [tmp_path / "convert"]
    assert list(after.inputs) == [tmp_path / "convert", tuning_folder(tmp_path, "jetson")]
    assert (before.settings["tuned"], after.settings["tuned"]) == (False, True)
    assert before.folder == module_folder(tmp_path, "jetson")


def test_another_processor_is_another_module(tmp_path: Path) -> None:
    stages = [module_stage(tmp_path, load_target(name), silent) for name in ("jetson", "host")]
    assert stages[0].settings["processor"] != stages[1].settings["processor"]


def test_modules_for_a_board_without_tvm_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="TVM compiles nothing for mps2-an386"):
        module_stage(tmp_path, load_target("mps2-an386"), silent)


def test_a_bundle_is_made_of_the_modules_and_of_the_modes_that_its_self_test_runs(tmp_path: Path) -> None:
    recipe, jetson = load_recipe("mnist5k-r14"), load_target("jetson")
    stage = bundle_stage(recipe, tmp_path, jetson, silent)
    calibrated = tmp_path / "calibrate" / "calibration.json"
    assert list(stage.inputs) == [tmp_path / "convert", calibrated, module_folder(tmp_path, "jetson")]
    assert stage.folder == bundle_stage_folder(tmp_path, "jetson") == bundle_folder(tmp_path, "jetson").parent
    longer = dataclasses.replace(recipe, policy=dataclasses.replace(recipe.policy, dwell_s=7))
    assert bundle_stage(longer, tmp_path, jetson, silent).settings != stage.settings
