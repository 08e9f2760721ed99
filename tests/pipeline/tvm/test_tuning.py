# SPDX-License-Identifier: Apache-2.0
"""Tuning measures every tile once, goes on where it was stopped, and the build takes what is fastest."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.core.stage import ROOT, locked
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.pipeline.tvm import tuning
from dimmer.pipeline.tvm.dot import dot_of
from dimmer.pipeline.tvm.module import build_modules, mismatches, relax_module
from dimmer.pipeline.tvm.schedule import apply, open_database, schedule, tiles_of
from dimmer.pipeline.tvm.targets import TARGETS
from dimmer.pipeline.tvm.tuning import address, convolutions, tile_of, tune
from tests.firmware_gen.tflite_builder import Layers

pytest.importorskip("tvm", reason="needs apache-tvm")
pytestmark = pytest.mark.xdist_group("tvm")
HOST = TARGETS["host"]


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tuning, "MEASURED_MS", 1)
    net = Layers(5)
    x = net.activation([1, 2, 2, 4], 1 / 64, 3)
    path = tmp_path / "network.tflite"
    path.write_bytes(net.build(x, net.conv(x, 16, activation="RELU")))
    return path


def lowered(path: Path) -> Any:
    processor = HOST.processor()
    with processor:
        return relax_module({"8": path}, dot_of(processor))[0]


def records(folder: Path) -> list[Any]:
    return list(open_database(folder).get_all_tuning_records())


@pytest.mark.slow
def test_tiles_are_timed_on_this_machine(network: Path, tmp_path: Path) -> None:
    folder, steps = tmp_path / "tuning", []
    (found,) = tune(lowered(network), HOST, folder, None, lambda text, _share: steps.append(text))
    assert found.best_us <= found.default_us
    assert len(steps) == len(records(folder)) > 1
    build_modules({"8": network}, HOST, tmp_path / "out", folder)
    assert mismatches(tmp_path / "out", [ModeSource("8", network)], sample_inputs(network, 20)) == {"8": 0}


class LaterIsFaster:
    """In place of a processor: the time of a run is 1 / the number of runs so far."""

    def __init__(self) -> None:
        self.runs = 0

    def run(self, inputs: list[Any]) -> list[Any]:
        from tvm.s_tir import meta_schedule as ms

        self.runs += len(inputs)
        result = ms.runner.RunnerResult([1 / self.runs], None)
        return [SimpleNamespace(result=lambda: result)]


def test_the_build_takes_what_was_fastest(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tvm
    import tvm_ffi

    folder, runner = tmp_path / "tuning", LaterIsFaster()
    monkeypatch.setattr(tuning, "_runner", lambda *_: runner)
    tune(lowered(network), HOST, folder, None, lambda _text, _share: None)
    processor = HOST.processor()
    dot = dot_of(processor)
    ((_, alone),) = convolutions(lowered(network), dot)
    last = tiles_of(alone, dot)[-1]
    assert runner.runs == len(tiles_of(alone, dot)) > 1
    by_hand = tvm.s_tir.Schedule(alone)
    apply(by_hand, dot, last)
    with processor:
        module = schedule(lowered(network), dot, folder)
    (built,) = (f for f in module.functions.values() if isinstance(f, tvm.tirx.PrimFunc))
    assert tvm_ffi.structural_equal(built.with_attr("global_symbol", "main"), by_hand.mod["main"])


def test_every_tile_is_measured_once(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, runner = tmp_path / "tuning", LaterIsFaster()
    monkeypatch.setattr(tuning, "_runner", lambda *_: runner)
    (found,) = tune(lowered(network), HOST, folder, None, lambda _text, _share: None)
    tiles = [tile_of(record) for record in records(folder)]
    assert len(tiles) == len(set(tiles)) == runner.runs
    (again,) = tune(lowered(network), HOST, folder, None, lambda _text, _share: None)
    assert runner.runs == len(tiles)
    assert again == found


def test_what_is_stopped_goes_on(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, runner = tmp_path / "tuning", LaterIsFaster()
    monkeypatch.setattr(tuning, "_runner", lambda *_: runner)

    def stop(_text: str, share: float) -> None:
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(lowered(network), HOST, folder, None, stop)
    assert len(records(folder)) == 1
    steps: list[str] = []
    tune(lowered(network), HOST, folder, None, lambda text, _share: steps.append(text))
    assert len(records(folder)) == len(steps) + 1


def test_a_damaged_database_is_one_line(network: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tuning"
    folder.mkdir()
    (folder / "database_workload.json").write_text('["half a li')
    (folder / "database_tuning_record.json").write_text("")
    with pytest.raises(DimmerError, match=r"is a damaged tuning database .*: delete it and tune again") as caught:
        build_modules({"8": network}, HOST, tmp_path / "out", folder)
    assert "\n" not in str(caught.value)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "dimmer.pipeline.tvm_tune", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_tracker_that_does_not_answer_is_one_line(network: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DimmerError, match=rf"no TVM tracker answers at 127\.0\.0\.1:{port} "):
        tune(lowered(network), HOST, tmp_path / "tuning", ("127.0.0.1", port), lambda _text, _share: None)


@pytest.fixture
def tracker() -> Iterator[tuple[str, int]]:
    """A tracker of TVM with two boards, which are this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = f"127.0.0.1:{port}"
    words = [["rpc_tracker", "--host", "127.0.0.1", "--port", str(port), "--port-end", str(port + 1)]]
    words += [["rpc_server", "--host", "127.0.0.1", "--tracker", place, "--key", "host"]] * 2
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running, here = [], os.getpid()
    try:
        for verb, *options in words:
            line = [sys.executable, "-m", f"tvm.exec.{verb}", *options]
            # Not as orphans of a run that is killed.
            with_us = {"start_new_session": True, "preexec_fn": partial(children.die_with, here)}
            running.append(subprocess.Popen(line, **with_us, **quiet))  # type: ignore[call-overload]
        for _ in range(300):
            with contextlib.suppress(DimmerError):
                if tuning._check_tracker("host", "127.0.0.1", port) == 2:
                    break
            time.sleep(0.2)
        yield "127.0.0.1", port
    finally:
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.slow
def test_two_boards_of_a_tracker_share_the_tiles(
    network: Path, tmp_path: Path, tracker: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    real = tuning._measure

    def counted(ms: Any, database: Any, candidates: Any, *others: Any) -> None:
        taken.append(len(candidates))
        real(ms, database, candidates, *others)

    monkeypatch.setattr(tuning, "_measure", counted)
    (found,) = tune(lowered(network), HOST, tmp_path / "tuning", tracker, lambda _text, _share: None)
    assert 0 < found.best_us <= found.default_us
    assert taken[0] == 2
    assert sum(taken) == len(records(tmp_path / "tuning")) > 2


def test_an_address_has_a_port() -> None:
    assert address("jetson.local:9190") == ("jetson.local", 9190)
    for wrong in ("jetson", "jetson:", ":9190", "jetson:lamp", "jetson:70000"):
        with pytest.raises(DimmerError, match=f"--rpc takes no {wrong}: write HOST:PORT"):
            address(wrong)


def test_two_do_not_tune_into_one_folder(network: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tuning" / "host"
    folder.parent.mkdir()
    with locked(folder), pytest.raises(DimmerError, match=r"another tuning measures into .*host: wait for its end"):
        tune(lowered(network), HOST, folder, None, lambda *_: None)
    assert not folder.exists()
