# SPDX-License-Identifier: Apache-2.0
"""The command that counts instructions: what it refuses, prints and compares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.benchmarks import __main__ as bench
from dimmer.benchmarks.count import Baseline, Count, Layer, Measured, key
from dimmer.benchmarks.results import result_of
from dimmer.errors import DimmerError

COUNT = Count(macs=1000, instructions=2000, switch=10, code=500, arena=400, stack=300)
FILE, BOARD = Path("pretrainedResnet_quant.tflite"), "mps2-an386"


def test_a_target_that_does_not_count_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "models", lambda: [FILE])
    monkeypatch.setattr(bench, "write_networks", lambda: [])
    with pytest.raises(DimmerError, match="host has no instruction counter: name some of "):
        bench.main(["host"], None, False, False)
    monkeypatch.setattr(bench, "models", lambda: [])
    with pytest.raises(DimmerError, match=r"there are no models in .*: put MLPerf Tiny's int8 \.tflite files there"):
        bench.main([BOARD], None, False, False)


def compared(monkeypatch: pytest.MonkeyPatch, now: Count, compilers: dict[str, str]) -> None:
    baseline = Baseline({"arm-none-eabi-gcc": "12"}, {key(FILE, BOARD): COUNT})
    monkeypatch.setattr(bench, "read_baseline", lambda: baseline)
    monkeypatch.setattr(Baseline, "other_compiler", lambda self, _name: compilers.get("reason"))
    bench._compare([FILE], [BOARD], {key(FILE, BOARD): Measured("m", now, ())}, {}, False)


def test_growth_is_an_error_unless_another_compiler_made_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compared(monkeypatch, COUNT, {})
    with pytest.raises(DimmerError, match=r"instructions grew from 2,000 to 3,000 \(\+50\.0%\)"):
        compared(monkeypatch, replace(COUNT, instructions=3000), {})
    compared(monkeypatch, replace(COUNT, instructions=3000), {"reason": "gcc 13 is here, the baseline is gcc 12's"})
    assert "not compared: gcc 13 is here" in capsys.readouterr().out


def test_an_update_writes_the_new_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Baseline] = []
    monkeypatch.setattr(bench, "read_baseline", lambda: Baseline({}, {key(FILE, BOARD): COUNT}))
    monkeypatch.setattr(bench, "write_baseline", written.append)
    now = replace(COUNT, instructions=9000)
    bench._compare([FILE], [BOARD], {key(FILE, BOARD): Measured("m", now, ())}, {"arm-none-eabi-gcc": "12"}, True)
    assert written[0].counts[key(FILE, BOARD)] == now


def test_cycles_are_told_with_their_error_and_beside_published_ones(capsys: pytest.CaptureFixture[str]) -> None:
    timed = replace(COUNT, macs=12_501_632, instructions=8_333_990, cycles=13_690_577, cycles_source="model")
    result = result_of(FILE.stem, BOARD, Measured(FILE.stem, timed, ()))
    bench._print_cycles([result])
    bench._print_published([result])
    said = capsys.readouterr().out
    assert "~13,690,577" in said
    assert "too few" in said
    assert "X-CUBE-AI 10.2" in said
    assert "19.88 M" in said
    assert "0.69" in said
    bench._print_cycles([replace(result, count=COUNT)])
    bench._print_published([replace(result, count=COUNT)])
    assert capsys.readouterr().out == ""


def test_tables_stand_beside_the_peer_and_name_every_layer(capsys: pytest.CaptureFixture[str]) -> None:
    layers = (Layer("a very long name of a layer that does not fit", "dimmer_conv2d_s8", 1000, 1500),)
    result = result_of(FILE.stem, BOARD, Measured("m", replace(COUNT, instructions=14_932_060), layers))
    bench._print([result])
    bench._print_layers(result)
    said = capsys.readouterr().out
    assert "14,932,060" in said
    assert "29,864,121" in said
    assert "0.50" in said
    assert "...y long name of a layer that does not fit"[-20:] in said
    assert "conv2d_s8" in said
    assert "dimmer_conv2d_s8" not in said
