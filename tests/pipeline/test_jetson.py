"""The bundle stage and what the report tells of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.build import steps_for
from dimmer.pipeline.core.stage import ROOT, StageResult
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.collect import collect
from dimmer.pipeline.reporting.page import check_document, write_report
from dimmer.targets import load_target
from tests.pipeline.toy_modes import NAMES

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


@pytest.mark.parametrize("module", ["firmware", "size", "verify"])
def test_what_is_for_firmware_alone_says_so(module: str) -> None:
    command = [sys.executable, "-m", f"dimmer.pipeline.{module}", "--target", "jetson"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: jetson takes a bundle, no firmware: ./nox -s build-target -- jetson")
    assert done.stderr.count("\n") == 1
