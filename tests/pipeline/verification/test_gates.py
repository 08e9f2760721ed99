# SPDX-License-Identifier: Apache-2.0
"""Gated runs, verified and measured."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from dimmer.pipeline.artifacts.firmware import Firmware, firmware_folder
from dimmer.pipeline.artifacts.verification import Verified, verify_folder
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.recipe.sections.gates import GatesSection
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.targets import load_target
from tests.tiny import TinyBuild, silent


@pytest.mark.slow
@pytest.mark.parametrize("name", ["host", pytest.param("mps2-an386", marks=pytest.mark.board("mps2-an386"))])
def test_a_gated_build_is_verified_and_its_budgets_measured(
    tiny_converted: TinyBuild, name: str, tmp_path: Path
) -> None:
    """Binary skipping: its blocks are those of super-net and base-net."""
    from dimmer.pipeline import firmware, train_gates, verify

    gates = GatesSection(options=(8, 0), warmup_epochs=1, epochs=1, tune_epochs=0, images=256, budgets=(0.9, 0.7))
    policy = PolicySection(tiers=(500,), budgets=(0.9, 0.6))
    recipe = dataclasses.replace(tiny_converted.recipe, gates=gates, policy=policy)
    train_gates.run(recipe, tiny_converted.build, silent)
    build = tmp_path / "build"
    for stage in ("train", "gates", "calibrate", "convert"):
        shutil.copytree(tiny_converted.build / stage, build / stage)
    for target in dict.fromkeys(("host", name)):
        firmware.run(recipe, build, load_target(target), silent)
    made = Firmware.load(firmware_folder(build, name))
    assert [tier.mode for tier in made.policy] == ["gated", "gated"]
    assert made.gates is not None
    share = made.gates.share_of_top_mode
    assert (share is None) if name == "host" else (share is not None and 0 < share < 0.1)
    verify.run(recipe, build, load_target(name), silent)
    found = Verified.load(verify_folder(build, name)).gates
    assert found is not None
    assert found.samples == 4
    assert found.mismatches == dict.fromkeys(("host", name), 0)
    assert [line.budget for line in found.budgets] == [0.9, 0.7]
    for line in found.budgets:
        assert sum(line.modes.values()) == len(load_dataset("mnist5k").test)
        assert line.agreement.inputs > 0.8
