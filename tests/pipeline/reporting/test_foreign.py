# SPDX-License-Identifier: Apache-2.0
"""A .tflite alone gets report.json and report.html beside its firmware."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dimmer.pipeline.image.order import foreign_order
from dimmer.pipeline.reporting.foreign import foreign_stage
from dimmer.targets import load_target
from tests.firmware_gen.networks import tiny_resnet
from tests.tiny import silent


@pytest.mark.board("mps2-an386")
def test_the_report_lies_beside_the_firmware(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    order, target, folder = foreign_order([path], 2), load_target("mps2-an386"), tmp_path / "out"
    assert not foreign_stage(order, [path], target, folder, silent).run().cached
    report = json.loads((folder / "report.json").read_text())
    (mode,) = report["modes"]
    assert (mode["name"], mode["blocks"], mode["cycles_source"]) == ("resnet", [], "model")
    assert mode["verify"]["mismatches"] == 0
    steps = report["steps"]
    assert sum(step["macs"] for step in steps) == mode["macs"]
    assert sum(step["cycles"] for step in steps) == pytest.approx(mode["cycles"], rel=0.02)
    bill = json.loads((folder / "bom.cdx.json").read_text())
    assert {part["name"] for part in bill["components"]} >= {"resnet.tflite", "dimmer_resnet.c", "dimmer-runtime"}
    assert {tool["name"] for tool in bill["metadata"]["tools"]["components"]} >= {"dimmer-nn", "qemu-system-arm"}
    page = (folder / "report.html").read_text()
    assert "Cycles by layer" in page
    assert "came alone" in page
    assert "cycles,<br>modelled" in page
    assert not (folder / "plots").exists()
    assert foreign_stage(order, [path], target, folder, silent).run().cached


def test_a_target_that_counts_nothing_still_has_a_report(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    foreign_stage(foreign_order([path], 0), [path], load_target("host"), tmp_path / "out", silent).run()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["modes"][0]["cycles"] is None
    assert "host" in report["notes"]["steps[*].cycles"]
    assert not [why for why in report["notes"].values() if "report it" in why]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Cycles by layer" not in page
    assert "Instructions by layer" not in page
