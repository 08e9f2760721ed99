"""No instruction, byte of code or byte of RAM comes back unasked."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.benchmarks import results
from dimmer.benchmarks.bound import bound
from dimmer.benchmarks.count import (
    Baseline,
    Count,
    Layer,
    Measured,
    count,
    grown,
    key,
    models,
    read_baseline,
    targets,
    updated,
)
from dimmer.benchmarks.peers import TFLM_CMSIS_NN
from dimmer.pipeline.core.errors import DimmerError
from dimmer.targets import load_target
from tests.boards import BOARD_PARAMS

C = Count(macs=100, instructions=1000, switch=10, code=500, arena=400, stack=300)


def test_growth_beyond_two_percent_is_told_and_less_is_not() -> None:
    assert grown({"a": replace(C, instructions=1020)}, {"a": C}) == []
    (line,) = grown({"a": replace(C, instructions=1021)}, {"a": C})
    assert "instructions grew from 1,000 to 1,021 (+2.1%)" in line
    assert grown({"a": replace(C, instructions=500)}, {"a": C}) == []


def test_a_model_without_a_baseline_is_told() -> None:
    assert "--update" in grown({"b": C}, {"a": C})[0]


def test_figures_of_a_replaced_compiler_leave_the_baseline() -> None:
    before = Baseline({"arm-none-eabi-gcc": "12"}, {"a on mps2-an386": C, "a on mps2-an385": C})
    after = updated(before, {"a on mps2-an386": replace(C, code=1)}, {"arm-none-eabi-gcc": "12"})
    assert after.counts == {"a on mps2-an386": replace(C, code=1), "a on mps2-an385": C}
    after = updated(before, {"a on mps2-an386": C, "a on riscv-virt": C}, {"arm-none-eabi-gcc": "13", "rv": "1"})
    assert set(after.counts) == {"a on mps2-an386", "a on riscv-virt"}
    assert after.compilers == {"arm-none-eabi-gcc": "13", "rv": "1"}


def test_every_counting_target_has_a_bound() -> None:
    for name in targets():
        assert bound(1600, load_target(name).core) in (3200, 1600, 800, 100)
    with pytest.raises(DimmerError, match="no bound is known for core z80"):
        bound(1, "z80")


def test_every_peer_is_one_of_our_targets() -> None:
    assert {target for _, target in TFLM_CMSIS_NN} <= set(targets())


def test_results_stand_beside_bound_and_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(results, "PLOT", tmp_path / "plot.svg")
    figures = replace(C, macs=12_501_632, instructions=14_932_060)
    measured = Measured("m", figures, (Layer("stem", "dimmer_conv2d_s8", 442_368, 900_000),))
    found = [results.result_of("pretrainedResnet_quant", name, measured) for name in ("mps2-an386", "riscv-virt")]
    results.write_results(found, {"gcc": "12"})
    known, lone = json.loads((tmp_path / "results.json").read_text())["results"]
    assert (known["ratio"], known["bound"], known["core"]) == (0.5, 6_250_816, "cortex-m4")
    assert known["layers"] == [
        {"layer": "stem", "kernel": "dimmer_conv2d_s8", "macs": 442_368, "instructions": 900_000}
    ]
    assert (lone["ratio"], lone["tflm_cmsis_nn"]) == (None, None)
    picture = (tmp_path / "plot.svg").read_text()
    assert "TFLite-Micro + CMSIS-NN" in picture
    results.write_results(found, {"gcc": "12"})
    assert (tmp_path / "plot.svg").read_text() == picture


@pytest.mark.shared
@pytest.mark.parametrize("name", BOARD_PARAMS)
def test_nothing_grew(name: str) -> None:
    baseline = read_baseline()
    if reason := baseline.other_compiler(name):
        pytest.skip(reason)
    measured = {key(model, name): count(model, name) for model in models()}
    assert grown(measured, baseline.counts) == []
    assert len(measured) >= 2
