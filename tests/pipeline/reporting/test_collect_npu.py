# SPDX-License-Identifier: Apache-2.0
"""What the report tells of a firmware for an NPU."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.calibration import calibration_folder
from dimmer.pipeline.artifacts.cycles import cycles_lines, cycles_text
from dimmer.pipeline.artifacts.npu import NpuMode, NpuPart, OnCore, VerifiedNpuMode, npu_folder, verify_npu_folder
from dimmer.pipeline.artifacts.report import UNEXPLAINED
from dimmer.pipeline.artifacts.verification import verify_folder
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.collect import collect
from dimmer.pipeline.reporting.collect_npu import core_operators
from dimmer.pipeline.reporting.page import cards, check_document, write_report
from dimmer.targets import load_target
from dimmer.targets.power.constants import Constant, Energy
from tests.pipeline.artifact_examples import calibration, npu_firmware, verified, verified_npu

TARGET = "ethos-u55-128"


@pytest.fixture
def built(tmp_path: Path) -> BuildContext:
    """The files of the stages that a report is made of."""
    context = BuildContext(load_recipe("mnist5k-r14"), load_target(TARGET), tmp_path / "mnist5k-r14")
    calibration().save(calibration_folder(context.build_dir))
    verified("host").save(verify_folder(context.build_dir, "host"))
    npu_firmware().save(npu_folder(context.build_dir, TARGET))
    verified_npu().save(verify_npu_folder(context.build_dir, TARGET))
    return context


def test_the_report_has_what_is_shared_and_calls_estimates_so(built: BuildContext) -> None:
    data = collect(built, [StageResult("npu", 1.0, False)])
    write_report(data, built.target_dir)
    document = json.loads((built.target_dir / "report.json").read_text())
    check_document(document)
    assert document["npu"]["bytes"] == asdict(npu_firmware().bytes)
    assert document["scores"]["88.88.88"]["figures"][0]["value"] == 0.88
    assert UNEXPLAINED not in document["notes"].values()
    assert {mode["cycles_source"] for mode in document["modes"]} == {"vela"}
    assert "estimate" in document["notes"]["modes[*].cycles"]
    assert [mode["energy_uj"] for mode in document["modes"]] == [None, None]
    assert "nobody has measured what a cycle of this NPU takes" in document["notes"]["modes[*].energy_uj"]
    assert document["switch"]["bytes_of_flash_per_extra_mode"] == 2600 + 2880
    assert [mode["verify"]["mismatches"] for mode in document["modes"]] == [0, 0]
    assert next(one for one in document["candidates"] if one["name"] == "80.88.88")["published"] is False
    page = (built.target_dir / "report.html").read_text()
    assert "measured by nobody" in page
    assert "never run on silicon" in page
    assert [card.title for card in cards(data)][:3] == ["Flash", "RAM", "One blob"]
    assert cycles_text(data.modes[0]) == "~40,000"
    assert "Vela's estimate" in cycles_lines(data.modes)[0]


def test_what_no_model_checked_is_null_with_the_reason(built: BuildContext) -> None:
    nothing = replace(verified_npu(), modes=tuple(VerifiedNpuMode(m.name, None) for m in verified_npu().modes))
    nothing.save(verify_npu_folder(built.build_dir, TARGET))
    document = collect(built, ()).document()
    assert [mode["verify"] for mode in document["modes"]] == [None, None]  # type: ignore[union-attr,index,call-overload]
    check_document(document)


def test_energy_comes_from_constants_of_the_board_and_estimated_cycles(built: BuildContext) -> None:
    constant = Constant(1.0, 0.1, "made up for a test")
    energy = Energy("switched", replace(constant, value=1800), replace(constant, value=500), cycle_pj=constant)
    context = replace(built, target=replace(built.target, energy=energy))
    found = [mode.energy_uj for mode in collect(context, ()).modes]
    assert found == [pytest.approx(0.04), pytest.approx(0.02)]


def test_operators_of_the_core_are_named_with_their_modes() -> None:
    left = OnCore("MEAN", "mean", "it is so")
    parts = (NpuPart("88-0", (), (0,), (1,)), NpuPart("88-1", (left,), (1,), (2,)))
    mode = NpuMode("88", 1, 1, 1.0, 1, 1, 1, 1, 1, False, parts, (0,), (2,))
    assert mode.streams == ("88-0",)
    assert core_operators([mode, replace(mode, name="80")]) == "MEAN (mean: it is so) of 88, 80"
    assert core_operators([replace(mode, parts=())]) == ""


def test_what_is_chosen_and_paid_without_the_core_s_part_says_so(built: BuildContext) -> None:
    alone = "of the NPU's streams alone, without what the core runs of a mode"
    assert not any(alone in note for note in collect(built, ()).notes.values())
    made = npu_firmware()
    left = (NpuPart("0", (), (0,), (1,)), NpuPart("1", (OnCore("MEAN", "mean", "it is so"),), (1,), (2,)))
    replace(made, modes=tuple(replace(mode, parts=left) for mode in made.modes)).save(
        npu_folder(built.build_dir, TARGET)
    )
    notes = collect(built, ()).notes
    assert all(alone in notes[key] for key in ("modes[*].energy_uj", "energy", "policy"))
