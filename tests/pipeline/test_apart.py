# SPDX-License-Identifier: Apache-2.0
"""Weights and activations of different bits, from a recipe to firmware: a network trained for one epoch."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.memory.weights import check_shared_weights
from dimmer.pipeline import firmware, train_gates, verify
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.calibration import Calibration, Statistics, calibration_folder
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.artifacts.verification import Verified, verify_folder
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.oracle.interpreter import OracleJob, run_oracle
from dimmer.pipeline.recipe.sections.gates import GatesSection
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.pipeline.reporting.report import make_report
from dimmer.targets import load_target
from tests.pipeline.integer_network import integer_network
from tests.pipeline.networks.families import road
from tests.tiny import TINY_NARROW, TinyBuild, calibrated, converted, silent

FORCED = ("cc.cc", "c0.c0", "bb.b0", "aa.aa", "4c.20", "a2.b0")
RECIPE = (
    TINY_NARROW.replace("bits = [8, 4, 2]", "bits = [8, 48, 28, 4, 24, 2]")
    .replace('["44.44", "22.20", "84.20"]\nsearch = 1\nlimit = 6', f"{list(FORCED)}\nsearch = 1\nlimit = 9")
    .replace("[verify]\nimages = 4", "[verify]\nimages = 100")
)
NAME = "tiny-apart-r10"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tiny_apart")]


@pytest.fixture(scope="module")
def apart(builds: Path) -> TinyBuild:
    """Trained, calibrated, exported and converted."""
    return converted(calibrated(builds, NAME, RECIPE))


def test_all_that_was_forced_is_published_and_the_search_found_a_mode(apart: TinyBuild) -> None:
    calibration = Calibration.load(calibration_folder(apart.build))
    assert set(FORCED) <= set(calibration.published)
    operations = {mode.name: mode.bit_operations for mode in calibration.modes}
    # Weights of 4 bits, activations of 8: half of the blocks' share of the 8-bit super-net; W2A4: an eighth.
    blocks = [operations["88.88"] - operations[name] for name in ("cc.cc", "aa.aa")]
    assert blocks[0] * 7 == blocks[1] * 4


def test_a_mode_of_mixed_pairs_may_have_statistics_of_its_own(apart: TinyBuild) -> None:
    calibration = Calibration.load(calibration_folder(apart.build))
    statistics = Statistics.load(calibration_folder(apart.build))
    kept = [mode.name for mode in calibration.modes if mode.recalibrated]
    assert all(statistics.of(name) for name in kept)
    assert "cc.cc" not in kept, "its norms end with the statistics of this mode"


@pytest.mark.parametrize("mode", FORCED)
def test_every_pair_is_bit_exact(apart: TinyBuild, mode: str) -> None:
    real = to_int8(load_dataset("mnist5k").test.images[:80])
    random = np.random.default_rng(0).integers(-128, 128, (20, *real.shape[1:]), dtype=np.int8)
    images = np.concatenate([real, random])
    folder = calibration_folder(apart.build)
    ours = integer_network(
        load_network(apart.recipe), mode, Statistics.load(folder).of(mode), Calibration.load(folder).ranges(mode)
    )
    path = next(source.path for source in mode_sources(apart.build / "convert") if source.name == mode)
    answer = run_oracle([OracleJob(path, images.tobytes())])[0]
    assert isinstance(answer, bytes)
    assert ours(images).tobytes() == answer


def test_pairs_take_no_weights_of_their_own(apart: TinyBuild) -> None:
    check_shared_weights({source.name: source.path for source in mode_sources(apart.build / "convert")})


@pytest.mark.board("mps2-an386")
@pytest.mark.board("mps2-an385-v6m")
def test_every_mode_is_exact_on_host_and_boards(builds: Path, apart: TinyBuild) -> None:
    found = road.walk(builds, NAME, RECIPE, "mps2-an386", "mps2-an385-v6m")
    assert set(FORCED) <= set(found.modes)
    road.check_exact(found)
    make_report(BuildContext(apart.recipe, load_target("mps2-an386"), found.build), [])
    report = json.loads((found.build / "mps2-an386" / "report.json").read_text())
    blocks = {mode["name"]: mode["blocks"] for mode in report["modes"]}
    assert (blocks["4c.20"], blocks["a2.b0"]) == ([[4, 48], [2, 0]], [[24, 2], [28, 0]])
    assert [48, 48] in [stage for mode in report["candidates"] for stage in mode["blocks"]]


def test_gates_choose_pairs_on_the_host(apart: TinyBuild, tmp_path: Path) -> None:
    gates = GatesSection(options=(8, 48, 0), warmup_epochs=1, epochs=1, tune_epochs=0, images=256, budgets=(0.7, 0.4))
    recipe = replace(apart.recipe, gates=gates, policy=PolicySection(tiers=(500,), budgets=(0.9, 0.6)))
    host, build = load_target("host"), tmp_path / "build"
    train_gates.run(recipe, apart.build, silent)
    for stage in ("train", "gates", "calibrate", "convert"):
        shutil.copytree(apart.build / stage, build / stage)
    firmware.run(recipe, build, host, silent)
    verify.run(recipe, build, host, silent)
    found = Verified.load(verify_folder(build, "host")).gates
    assert found is not None
    assert set(found.mismatches.values()) == {0}
    assert any("c" in mode for line in found.budgets for mode in line.modes)
    make_report(BuildContext(recipe, host, build), [])
    assert {tier["mode"] for tier in json.loads((build / "host" / "report.json").read_text())["policy"]} == {"gated"}
