# SPDX-License-Identifier: Apache-2.0
"""The report of files that came alone: every figure of the firmware, a reason for the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dimmer.pipeline.artifacts.firmware import FirmwareMode, Verification
from dimmer.pipeline.artifacts.quantised import Cost, Quantised
from dimmer.pipeline.artifacts.report import UNEXPLAINED
from dimmer.pipeline.reporting.collect_foreign import collect_foreign
from dimmer.pipeline.reporting.page import check_document, write_report
from dimmer.targets import load_target
from tests.pipeline.artifact_examples import firmware

CHECK = Verification(200, 0, "QEMU")
ALONE = replace(
    firmware(), modes=(FirmwareMode("kws ref", 1000, 1000, CHECK, 1600, "model"),), policy=(), steps=(), notes={}
)


def test_what_the_firmware_tells_stands_in_the_report() -> None:
    data = collect_foreign(ALONE, load_target("mps2-an386"))
    (mode,) = data.modes
    assert (mode.name, mode.instructions, mode.cycles, mode.cycles_source) == ("kws ref", 1000, 1600, "model")
    assert mode.energy_uj == round(1600 * 1.08 * 194e-6 * 1.8, 3)
    assert (data.dataset, mode.accuracy, mode.bit_operations) == (None, None, None)
    assert data.energy is not None
    document = data.document()
    check_document(document)
    assert UNEXPLAINED not in data.notes.values()
    assert document["notes"] == dict(data.notes)


def test_files_that_were_not_compared_say_so() -> None:
    bare = replace(ALONE, modes=(replace(ALONE.modes[0], verify=None),))
    assert "--samples 0" in collect_foreign(bare, load_target("mps2-an386")).notes["modes[*].verify"]


def test_several_files_have_a_battery() -> None:
    both = collect_foreign(firmware(), load_target("mps2-an386"))
    assert [mode.name for mode in both.modes] == ["88.88.88", "80.80.80"]
    assert both.battery
    assert "lasts" in both.battery_note


def test_a_float_network_s_report_tells_what_quantising_costs(tmp_path: Path) -> None:
    cost = Cost(300, True, 38.0, 0.01, 0.2, 0.99, 0.97, 0.965)
    found = Quantised("net.keras", "net.tflite", "samples.npz", 256, 100, (), cost)
    data = collect_foreign(ALONE, load_target("mps2-an386"), found)
    (mode,) = data.modes
    assert (mode.accuracy, mode.accuracy_float, data.dataset) == (0.965, 0.97, None)
    assert "accuracy on 300 other samples: 97.0% in float, 96.5% in int8" in data.notes["modes[*].accuracy"]
    check_document(data.document())
    write_report(data, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert '<td data-label="accuracy; in float">96.5' in page
    assert "accuracy on 300 other samples" in page
    assert "accuracy on the test set" not in page
