"""The bundle stage and what the report tells of it."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.build import steps_for
from dimmer.pipeline.bundles import make
from dimmer.pipeline.bundles.bundle import MACHINES
from dimmer.pipeline.bundles.make import bundle_policy
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.stage import ROOT, StageResult
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.collect import collect
from dimmer.pipeline.reporting.page import check_document, write_report
from dimmer.targets import Target, load_target
from tests.pipeline.toy_modes import NAMES, SAMPLES, SHAPE, expected, native, toy_modules, toy_self_test

SIZES = {
    "weights": 60,
    "library": 30_000,
    "gpu_library": 0,
    "runtime": 5_000_000,
    "program": 70_000,
    "total": 5_200_000,
}


def test_a_build_verifies_on_the_host_and_in_the_bundle() -> None:
    names = [step.name for step in steps_for(load_target("jetson"))]
    assert names == [
        "train",
        "calibrate",
        "export",
        "convert",
        "firmware (host)",
        "verify (host)",
        "tvm_module",
        "bundle",
    ]


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    return BuildContext(load_recipe("mnist5k-r14"), load_target("jetson"), tmp_path / "mnist5k-r14")


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.fixture
def built(context: BuildContext) -> BuildContext:
    """The files of the stages that a report is made of."""
    costs = [
        {
            "name": name,
            "macs": macs,
            "bit_operations": 64 * macs,
            "accuracy": 0.9,
            "published": True,
            "reason": "forced",
        }
        for name, macs in (("88", 2000), ("80", 1000))
    ]
    outcome = {"samples": 100, "mismatches": 0, "first": None}
    modes = [
        {"name": name, "accuracy": 0.9, "accuracy_float": 0.91, "host": outcome, "target": outcome} for name in NAMES
    ]
    checked = {"samples": 100, "mismatches": 0, "backend": context.target.description}
    tier = {"mode": "88", "min_charge_permille": 500, "min_millivolts": 0, "hysteresis_permille": 20, "dwell_s": 60}
    bundle = {
        "version": "0123456789ab",
        "architecture": "aarch64",
        "tvm": "0.27.0",
        "bytes": SIZES,
        "modes": [{"name": name, "verify": checked} for name in NAMES],
        "policy": [tier, {**tier, "mode": "80", "min_charge_permille": 0}],
    }
    write(context.build_dir / "calibrate" / "calibration.json", {"modes": costs})
    write(context.build_dir / "host" / "verify" / "verify.json", {"test_images": 1000, "modes": modes})
    write(context.target_dir / "bundle" / "bundle.json", bundle)
    return context


def test_the_report_has_the_bundle_s_figures_and_nulls_for_what_no_board_measured(built: BuildContext) -> None:
    data = collect(built, [StageResult("bundle", 1.0, False)])
    write_report(data, built.target_dir)
    document = json.loads((built.target_dir / "report.json").read_text())
    check_document(document)
    assert document["bundle"]["bytes"] == SIZES
    assert document["flash"]["weights"] == SIZES["weights"]
    assert document["bundle"]["latency_us"] is None
    assert document["bundle"]["gpu"] == {"latency_us": None, "engine_bytes": None, "scratch_bytes": None}
    assert "no GPU" in document["notes"]["bundle.gpu.latency_us"]
    assert [mode["verify"]["mismatches"] for mode in document["modes"]] == [0, 0]
    assert document["modes"][0]["verify"]["backend"] == built.target.description
    page = (built.target_dir / "report.html").read_text()
    assert "TVM 0.27.0, aarch64" in page


def test_other_reports_have_no_bundle(built: BuildContext) -> None:
    data = collect(built, [])
    document = dict(data.document())
    del document["bundle"]
    check_document(document)


def test_budgets_of_gates_become_even_tiers(context: BuildContext) -> None:
    recipe = context.recipe
    assert len(bundle_policy(recipe, 4).tiers) == len(recipe.policy.tiers) + 1
    gated = replace(recipe, policy=replace(recipe.policy, tiers=(500,), budgets=(1.0, 0.5)))
    assert bundle_policy(gated, 4) == even_policy(4)


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
    assert [(mode["name"], mode["verify"]["samples"], mode["verify"]["mismatches"]) for mode in figures["modes"]] == [
        ("88", SAMPLES, 0),
        ("80", SAMPLES, 0),
    ]
    assert figures["bytes"]["weights"] == 63
    assert (
        sum(figures["bytes"][key] for key in ("weights", "library", "runtime", "program")) < figures["bytes"]["total"]
    )
    assert [(tier["mode"], tier["min_charge_permille"]) for tier in figures["policy"]] == [("88", 500), ("80", 0)]


def test_a_bundle_that_differs_is_not_made(stand_ins: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dimmer.pipeline.oracle.interpreter.reference_outputs", lambda path, inputs: bytes(3 * SAMPLES))
    modes = [ModeSource(name, Path(f"{name}.tflite")) for name in NAMES]
    modules = toy_modules(platform.machine(), tmp_path / "modules")
    with pytest.raises(DimmerError, match="jetson: the modes differ from the TFLite interpreter"):
        make.make("toy", modules, modes, even_policy(2), toy_self_test().inputs, SAMPLES, stand_ins, tmp_path / "out")


@pytest.mark.parametrize("module", ["firmware", "size", "verify"])
def test_what_is_for_firmware_alone_says_so(module: str) -> None:
    command = [sys.executable, "-m", f"dimmer.pipeline.{module}", "--target", "jetson"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: jetson takes a bundle, no firmware: ./nox -s build-target -- jetson")
    assert done.stderr.count("\n") == 1


def test_a_missing_cross_compiler_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = load_target("jetson")
    toolchain = replace(target.toolchain, packages={"aarch64-lamp-gcc": "gcc-aarch64-lamp"})
    monkeypatch.setenv("DIMMER_OFFLINE", "1")
    pytest.importorskip("tvm", reason="needs apache-tvm")
    modules = toy_modules(platform.machine(), tmp_path / "modules")
    with pytest.raises(DimmerError, match=r"aarch64-lamp-gcc not found: .*gcc-aarch64-lamp"):
        make.make("toy", modules, [], even_policy(2), b"", 0, replace(target, toolchain=toolchain), tmp_path)
