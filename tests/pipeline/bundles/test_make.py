# SPDX-License-Identifier: Apache-2.0
"""A bundle is made of TVM's modules and tests itself."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.bundles import make
from dimmer.pipeline.bundles.bundle import MACHINES
from dimmer.pipeline.bundles.make import bundle_policy
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.targets import Target, load_target
from tests.pipeline.artifact_examples import calibration
from tests.pipeline.toy_modes import NAMES, SAMPLES, SHAPE, expected, native, toy_modules, toy_self_test


def calibrated(**accuracy: float) -> Calibration:
    """The example's three modes of 2.0, 1.5 and 1.0 million MACs, and one as dear as the first."""
    modes = {mode.name: mode for mode in calibration().modes}
    found = [replace(mode, accuracy=accuracy[f"m{name.replace('.', '')}"]) for name, mode in modes.items()]
    narrow = replace(modes["88.88.88"], name="44.44.44", bit_operations=1, accuracy=accuracy["m444444"])
    return replace(calibration(), validation_images=100_000, modes=(*found, narrow))


MODES = ("88.88.88", "80.88.88", "44.44.44", "80.80.80")
FOUND = calibrated(m888888=0.95, m808888=0.80, m444444=0.94, m808080=0.79)


def test_tiers_are_of_modes_on_the_hull_of_macs() -> None:
    policy, note = bundle_policy(PolicySection((600, 300)), MODES, FOUND)
    assert [(tier.min_charge_permille, tier.mode) for tier in policy.tiers] == [(600, 0), (0, 3)]
    assert note == (
        "in flash and callable, but never chosen: 80.88.88: a mixture of 80.80.80 and 88.88.88 costs the same and is "
        "right in 7.00 % more; 44.44.44: 88.88.88 costs no more and is right as often"
    )
    assert policy.safe_mode == 3


def test_budgets_of_gates_become_even_tiers_over_the_same_modes() -> None:
    policy, _ = bundle_policy(PolicySection((500,), budgets=(1.0, 0.5)), MODES, FOUND)
    assert [(tier.min_charge_permille, tier.mode) for tier in policy.tiers] == [(500, 0), (0, 3)]
    assert (policy.dwell_s, policy.stale_s) == (even_policy(4).dwell_s, even_policy(4).stale_s)


@pytest.mark.parametrize("asked", [{"max_ms": 10.0}, {"recharge": "uniform", "recharge_hours": 5.0}])
def test_what_needs_figures_that_nobody_has_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(DimmerError, match=f"^policy.{next(iter(asked))}: what a mode of a bundle takes is not known"):
        bundle_policy(PolicySection(**asked), MODES, FOUND)


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
