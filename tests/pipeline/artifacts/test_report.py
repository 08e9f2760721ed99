# SPDX-License-Identifier: Apache-2.0
"""The contract of report.json: every key, and a reason for every null."""

import json
from dataclasses import replace

from dimmer.pipeline.artifacts.bundle import BundleBytes
from dimmer.pipeline.artifacts.firmware import ArenaBuffer
from dimmer.pipeline.artifacts.report import UNEXPLAINED, BundleFigures, Candidate, ReportData
from tests.pipeline.artifact_examples import calibration
from tests.pipeline.reporting.report_example import example

CONTRACT = {
    "flash": ["weights", "tables", "code", "total", "single_mode_total"],
    "ram": ["arena", "scratch", "stack", "total", "single_mode_arena", "state"],
    "stack": ["proven", "before_hook", "exception_frame", "entries", "kernels"],
    "switch": ["instructions", "bytes_of_flash_per_extra_mode"],
}
MODE_KEYS = [
    *("name", "blocks", "macs", "bit_operations", "accuracy", "accuracy_float"),
    *("instructions", "energy_uj", "verify", "cycles", "cycles_source"),
]


def test_document_has_every_key_of_the_contract() -> None:
    document = json.loads(json.dumps(example().document()))
    for key in ("model", "target", "dataset", "generator_version", "policy", "gates", "stages", "steps", "notes"):
        assert key in document
    assert {key: list(document[key]) for key in CONTRACT} == CONTRACT
    assert [list(mode) for mode in document["modes"]] == [MODE_KEYS] * 4
    assert document["modes"][1]["blocks"] == [[8, 0], [8, 8], [8, 8]]
    assert document["modes"][0]["verify"] == {
        "samples": 100,
        "mismatches": 0,
        "backend": "QEMU mps2-an386",
        "reference": "litert",
    }
    assert document["stages"][1] == {"name": "calibrate", "seconds": 38.2, "cached": True}


def test_slices_that_nothing_copies_are_in_the_document() -> None:
    assert "aliases" not in example().document()
    part = ArenaBuffer("88.88.88", "part", 64, 32, 1, 3, "whole")
    document = replace(example(), arena=(*example().arena, part)).document()
    assert document["aliases"] == [
        {"mode": "88.88.88", "name": "part", "within": "whole", "offset": 64, "size": 32},
    ]


def notes_of(data: ReportData) -> dict[str, str]:
    found: dict[str, str] = json.loads(json.dumps(data.document()))["notes"]
    return found


def test_a_null_without_a_note_gets_one() -> None:
    assert UNEXPLAINED not in notes_of(example()).values()
    assert notes_of(replace(example(), notes={}))["switch.instructions"] == UNEXPLAINED
    unverified = replace(example().modes[0], verify=None)
    assert notes_of(replace(example(), modes=(unverified, *example().modes[1:])))["modes[0].verify"] == UNEXPLAINED


def test_note_on_all_indices_holds_for_each() -> None:
    assert "modelled" in (example().note("modes[3].energy_uj") or "")


def test_a_bundle_stands_behind_all_else_with_nulls_for_what_no_board_measured() -> None:
    sizes = BundleBytes(1, 2, 3, 4, 5, 15)
    notes = {**example().notes, "bundle.latency_us": "no board", "bundle.gpu.engine_bytes": "no GPU"}
    data = replace(example(), bundle=BundleFigures("v1", "aarch64", "0.27.0", sizes), notes=notes)
    plain = json.loads(json.dumps(data.document()))["notes"]
    assert [k for k, why in plain.items() if why == UNEXPLAINED] == [
        "bundle.gpu.latency_us",
        "bundle.gpu.scratch_bytes",
    ]
    more = {"bundle.gpu.latency_us": "no GPU", "bundle.gpu.scratch_bytes": "no GPU"}
    document = json.loads(json.dumps(replace(data, notes={**notes, **more}).document()))
    assert list(document)[-1] == "bundle"
    assert list(document["bundle"]) == ["version", "architecture", "tvm", "bytes", "latency_us", "gpu"]
    assert document["bundle"]["bytes"]["total"] == 15


def test_a_candidate_is_what_calibration_says_of_a_mode() -> None:
    mode = calibration().modes[1]
    assert Candidate.of(mode) == Candidate("80.88.88", 1_500_000, 96_000_000, 0.9, False, "best of its cost")
