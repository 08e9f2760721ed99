# SPDX-License-Identifier: Apache-2.0
"""A bundle is made of TVM's modules and tests itself."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.bundles import make
from dimmer.pipeline.bundles.bundle import MACHINES
from dimmer.pipeline.bundles.make import bundle_policy
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import Target, load_target
from tests.pipeline.toy_modes import NAMES, SAMPLES, SHAPE, expected, native, toy_modules, toy_self_test


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    return BuildContext(load_recipe("mnist5k-r14"), load_target("jetson"), tmp_path / "mnist5k-r14")


def test_budgets_of_gates_become_even_tiers(context: BuildContext) -> None:
    recipe = context.recipe
    assert len(bundle_policy(recipe.policy, 4).tiers) == len(recipe.policy.tiers) + 1
    gated = replace(recipe, policy=replace(recipe.policy, tiers=(500,), budgets=(1.0, 0.5)))
    assert bundle_policy(gated.policy, 4) == even_policy(4)


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """The definition of the toys is the oracle."""
    pytest.importorskip("tvm", reason="needs apache-tvm")
    if platform.machine() not in MACHINES.values():
        pytest.skip(f"no bundles for {platform.machine()}")

    def reference(path: Path, inputs: bytes) -> bytes:
        return expected(np.frombuffer(inputs, np.int8).reshape(-1, *SHAPE[1:]), path.stem).tobytes()

    monkeypatch.setattr("dimmer.pipeline.oracle.interpreter.reference_outputs", reference)
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "cache"))
    return native(load_target("jetson"))


def test_a_bundle_is_made_and_runs(stand_ins: Target, tmp_path: Path) -> None:
    modes = [ModeSource(name, Path(f"{name}.tflite")) for name in NAMES]
    inputs = toy_self_test().inputs
    modules = toy_modules(platform.machine(), tmp_path / "modules")
    figures = make.make("toy", modules, modes, even_policy(2), inputs, SAMPLES, stand_ins, tmp_path / "out")
    assert [(mode.name, mode.verify.samples, mode.verify.mismatches) for mode in figures.modes] == [
        ("88", SAMPLES, 0),
        ("80", SAMPLES, 0),
    ]
    sizes = figures.bytes
    assert sizes.weights == 63
    assert sizes.weights + sizes.library + sizes.runtime + sizes.program < sizes.total
    assert [(tier.mode, tier.min_charge_permille) for tier in figures.policy] == [("88", 500), ("80", 0)]


def test_a_bundle_that_differs_is_not_made(stand_ins: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dimmer.pipeline.oracle.interpreter.reference_outputs", lambda path, inputs: bytes(3 * SAMPLES))
    modes = [ModeSource(name, Path(f"{name}.tflite")) for name in NAMES]
    modules = toy_modules(platform.machine(), tmp_path / "modules")
    with pytest.raises(DimmerError, match="jetson: the modes differ from the TFLite interpreter"):
        make.make("toy", modules, modes, even_policy(2), toy_self_test().inputs, SAMPLES, stand_ins, tmp_path / "out")


def test_a_missing_cross_compiler_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = load_target("jetson")
    toolchain = replace(target.toolchain, packages={"aarch64-lamp-gcc": "gcc-aarch64-lamp"})
    monkeypatch.setenv("DIMMER_OFFLINE", "1")
    pytest.importorskip("tvm", reason="needs apache-tvm")
    modules = toy_modules(platform.machine(), tmp_path / "modules")
    with pytest.raises(DimmerError, match=r"aarch64-lamp-gcc not found: .*gcc-aarch64-lamp"):
        make.make("toy", modules, [], even_policy(2), b"", 0, replace(target, toolchain=toolchain), tmp_path)
