# SPDX-License-Identifier: Apache-2.0
"""MLPerf Tiny's energy traces, of both formats; the figures that were published come out of samples like those."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.measurement.mlperf import read_monitor, read_runner
from dimmer.pipeline.energy.measurement.result import measure
from dimmer.pipeline.energy.measurement.trace import Window
from tests.pipeline.energy.measurement.traces import monitor

PUBLISHED_UJ, PUBLISHED_MW, PUBLISHED_MS = 6919.8, 41.95, 164.95
"""MLPerf Tiny v1.2, ResNet-8 on an STM32L4R5, window of 100 inferences: its own energy run."""


def test_the_published_figure_comes_out(tmp_path: Path) -> None:
    """Five windows of 16.495 s at 41.95 mW, between which the board idles at 59 mW, as in the public trace."""
    samples, edges = np.full(140_000, 59.0), [0.018]
    for number in range(5):
        start = 10.964 + 26.5 * number
        samples[round(1000 * start) : round(1000 * (start + 16.495))] = 100 * PUBLISHED_UJ / 16_495
        edges += [round(start, 3), round(start + 16.495, 3)]
    path = monitor(tmp_path, samples, edges)
    found = read_monitor(path, 100)
    assert found.windows[0] == Window(10_964, 27_459, 100)
    assert len(found.windows) == 5
    measured = measure(path, found, found.windows, 1800.0)
    assert measured.microjoules.mean == pytest.approx(PUBLISHED_UJ, rel=1e-4)
    assert measured.microjoules.deviation < 1
    assert measured.seconds.mean == pytest.approx(PUBLISHED_MS / 1000)
    assert measured.milliamperes == pytest.approx(PUBLISHED_MW / 1.8, rel=1e-3)
    assert measured.inferences == 500


def runner(timestamps: list[Any], samples: list[float], iterations: Any = 70) -> list[dict[str, Any]]:
    return [
        {
            "infer": {"iterations": iterations},
            "power": {"samples": samples, "timestamps": timestamps, "voltage": 3},
        }
    ]


def test_the_published_figure_of_v13_comes_out(tmp_path: Path) -> None:
    """STM32L4R5-P, ResNet-8: 70 inferences in 11.632 s, 5,493.9 uJ each; a warm-up before them, idling behind."""
    samples = [12e-6] * 12_447 + [70 * 5493.888e-6 / 11_632] * 11_632 + [7.6e-6] * 101
    runs = runner([["00", 2085], ["01", 12_447], ["02", 24_079]], samples) * 2
    path = tmp_path / "results.json"
    path.write_text(json.dumps(runs))
    found = read_runner(path)
    assert found.millivolts == 3000
    assert [window.stop - window.start for window in found.windows] == [11_632] * 2
    assert found.windows[1].start == 24_180 + 12_447
    measured = measure(path, found, found.windows, None)
    assert measured.microjoules.mean == pytest.approx(5493.888, rel=1e-6)
    assert measured.seconds.mean == pytest.approx(11.632 / 70)


def test_inputs_that_were_not_measured_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    measured = runner([["00", 1], ["01", 3]], [1e-6] * 5)
    path.write_text(json.dumps(measured + runner([], [1e-6] * 5) + measured))
    assert [(w.start, w.stop) for w in read_runner(path).windows] == [(1, 3), (6, 8)]


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ({}, "no input of it has power samples"),
        ([], "no input of it has power samples"),
        ([{"infer": {}}], "input 1 has no power samples, timestamps and iterations"),
        ([3], "input 1 has no power samples"),
        (runner([["00", 1], ["01", 9]], [1e-6] * 5), "input 1: its run from 1 to 9 ms is not in 5 samples"),
        (runner([["00", 3], ["01", 1]], [1e-6] * 5), "input 1: its run from 3 to 1 ms"),
        (runner([["00", 1], ["01", 3]], [1e-6] * 5, 0), "no iterations"),
        (runner([["00", 1], ["01", 3]], [1e-6] * 5, True), "no iterations"),
        (runner([["00", 1], ["01", 3]], [1e-6] * 5, 10**30), "no iterations"),
        (runner([["00", 1], ["01", 3]], ["x"]), "input 1 has no power samples"),  # type: ignore[list-item]
    ],
)
def test_a_broken_results_json_is_one_line(tmp_path: Path, runs: Any, message: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(runs))
    with pytest.raises(DimmerError, match=message) as caught:
        read_runner(path)
    assert "\n" not in str(caught.value)


def test_no_json_is_told(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text("[1,")
    with pytest.raises(DimmerError, match="it is no JSON"):
        read_runner(path)


def test_a_broken_monitor_trace_is_one_line(tmp_path: Path) -> None:
    def refused(message: str, inferences: int | None = 10) -> None:
        with pytest.raises(DimmerError, match=message) as caught:
            read_monitor(path, inferences)
        assert "\n" not in str(caught.value)

    samples, edges = np.ones(1000), [0.0, 0.1, 0.2, 0.3, 0.4]
    path = monitor(tmp_path, samples, edges)
    assert len(read_monitor(path, 10).windows) == 2
    refused("give it with --per-window", None)
    monitor(tmp_path, samples, [0.0, 0.1, 2.0])
    refused("its windows are not those of a trace of 1 s")
    monitor(tmp_path, samples, [0.0])
    refused("its windows are not those")
    monitor(tmp_path, samples, [0.0, 0.3, 0.2])
    refused("no list of rising seconds")
    monitor(tmp_path, samples, edges, rate=0.0)
    refused("0 samples a second cannot be")
    monitor(tmp_path, samples, edges)
    path.write_bytes(path.read_bytes()[:-1])
    refused("no energy trace of MLPerf Tiny")
    path.write_bytes(b"\xf1")
    refused("no energy trace of MLPerf Tiny")
    monitor(tmp_path, samples, edges)
    (tmp_path / "trace1-timestamps.json").unlink()
    refused("put trace1-timestamps.json beside it")
