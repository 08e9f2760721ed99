# SPDX-License-Identifier: Apache-2.0
"""What the report tells of a bundle."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.bundle import bundle_stage_folder
from dimmer.pipeline.artifacts.calibration import calibration_folder
from dimmer.pipeline.artifacts.verification import verify_folder
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.collect import collect
from dimmer.pipeline.reporting.page import check_document, write_report
from dimmer.targets import load_target
from tests.pipeline.artifact_examples import SIZES, bundle, calibration, verified


@pytest.fixture
def built(tmp_path: Path) -> BuildContext:
    """The files of the stages that a report is made of."""
    context = BuildContext(load_recipe("mnist5k-r14"), load_target("jetson"), tmp_path / "mnist5k-r14")
    calibration().save(calibration_folder(context.build_dir))
    verified("host").save(verify_folder(context.build_dir, "host"))
    bundle(context.target.description).save(bundle_stage_folder(context.build_dir, "jetson"))
    return context


def test_the_report_has_the_bundle_s_figures_and_nulls_for_what_no_board_measured(built: BuildContext) -> None:
    data = collect(built, [StageResult("bundle", 1.0, False)])
    write_report(data, built.target_dir)
    document = json.loads((built.target_dir / "report.json").read_text())
    check_document(document)
    assert document["bundle"]["bytes"] == asdict(SIZES)
    assert document["flash"]["weights"] == SIZES.weights
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
