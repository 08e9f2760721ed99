# SPDX-License-Identifier: Apache-2.0
"""results.json: every figure beside its bound and its peer."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from dimmer.benchmarks import results
from dimmer.benchmarks.count import (
    Count,
    Layer,
    Measured,
)
from dimmer.benchmarks.results import HostTime

C = Count(macs=100, instructions=1000, switch=10, code=500, arena=400, stack=300)


def test_results_stand_beside_bound_and_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(results, "PLOT", tmp_path / "plot.svg")
    figures = replace(C, macs=12_501_632, instructions=14_932_060)
    measured = Measured("m", figures, (Layer("stem", "dimmer_conv2d_s8", 442_368, 900_000),))
    found = [results.result_of("pretrainedResnet_quant", name, measured) for name in ("mps2-an386", "riscv-virt")]
    results.write_results(found, {"gcc": "12"})
    known, lone = json.loads((tmp_path / "results.json").read_text())["results"]
    assert (known["ratio"], known["bound"], known["core"]) == (0.5, 6_250_816, "cortex-m4")
    stem = {"layer": "stem", "kernel": "dimmer_conv2d_s8", "macs": 442_368, "instructions": 900_000}
    assert known["layers"] == [{**stem, "cycles": None, "cycles_source": None}]
    assert (lone["ratio"], lone["tflm_cmsis_nn"]) == (None, None)
    picture = (tmp_path / "plot.svg").read_text()
    assert "TFLite-Micro + CMSIS-NN" in picture
    results.write_results(found, {"gcc": "12"})
    assert (tmp_path / "plot.svg").read_text() == picture


def test_results_keep_what_they_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(results, "PLOT", tmp_path / "plot.svg")
    measured = Measured("m", Count(100, 1000, 10, 500, 400, 300), ())
    counted = [results.result_of("pretrainedResnet_quant", "mps2-an386", measured)]
    results.write_results(counted, {"gcc": "12"})
    before = json.loads((tmp_path / "results.json").read_text())
    measured_time = HostTime("m", "dimmer", 12.5, 1.0, True)
    time = asdict(measured_time)
    for _ in range(2):
        results.write_host([measured_time])
        assert json.loads((tmp_path / "results.json").read_text()) == {**before, "host": [time]}
    results.write_results(counted, {"gcc": "12"})
    assert json.loads((tmp_path / "results.json").read_text()) == {**before, "host": [time]}


def test_cores_that_are_simulated_are_no_bars_of_the_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(results, "PLOT", tmp_path / "plot.svg")
    counted = results.result_of("pretrainedResnet_quant", "riscv-virt", Measured("m", C, ()))
    simulated = replace(C, cycles=1200, cycles_source="rtl")
    results.write_results([counted], {})
    alone = results.PLOT.read_text()
    both = [counted, results.result_of("pretrainedResnet_quant", "ibex-small", Measured("m", simulated, ()))]
    results.write_results(both, {})
    assert results.PLOT.read_text() == alone
    assert json.loads(results.RESULTS.read_text())["results"][1]["cycles"] == 1200
