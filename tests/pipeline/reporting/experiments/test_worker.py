# SPDX-License-Identifier: Apache-2.0
"""One run, in this process; that it takes no TensorFlow; and in a process of its own, killed and taken up again."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dimmer.pipeline.artifacts.checkpoint import CHECKPOINT
from dimmer.pipeline.artifacts.training_record import load_checkpoint
from dimmer.pipeline.core.closure import ROOT, closure
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.experiments.record import read_run
from dimmer.pipeline.reporting.experiments.results import results_of
from dimmer.pipeline.reporting.experiments.runs import runs_of
from dimmer.pipeline.reporting.experiments.table import Table
from dimmer.pipeline.reporting.experiments.worker import PROGRESS, Order, do, telling
from tests.pipeline.reporting.experiments.small import TABLE, WIDTHS, state_of, table_in


def order(table: Table, arm: str, out: Path, seed: int = 1) -> Order:
    return Order(str(table.path.with_name("recipe.toml")), table.name, arm, seed, str(out), "cpu", 1, str(Path.cwd()))


def test_a_run_leaves_accuracies_of_every_depth_and_what_it_is_known_by(table: Table, tmp_path: Path) -> None:
    run = runs_of(table, tmp_path / "out")[0]
    told: list[str] = []
    path = do(order(table, "labels", run.folder), lambda text, share: told.append(text))
    record = read_run(path)
    assert record == run.found()
    assert record is not None
    assert (record.arm, record.seed, record.device, record.test_images) == ("labels", 1, "cpu", 20)
    assert list(record.nets)[:2] == ["super", "base"]
    assert set(record.nets) == {"super", "base", "80.88", "88.80"}
    history = json.loads((run.folder / "train" / "history.json").read_text())
    for net in ("super", "base"):
        assert record.nets[net].test == history["accuracy"][net]["test"], "the last epoch"
    assert record.seconds == pytest.approx(sum(line["seconds"] for line in history["history"]))
    assert told[-1] == "accuracies"
    before = path.stat().st_mtime_ns
    assert do(order(table, "labels", run.folder), lambda text, share: None).stat().st_mtime_ns == before


def test_arms_with_the_same_teacher_share_it(tmp_path: Path, table: Table) -> None:
    text = TABLE.replace('"train.epochs" = 2', '"train.epochs" = 1, "teacher.epochs" = 1, "teacher.widths" = [8, 8]')
    table = table_in(tmp_path, text)
    folders = tmp_path / "out" / ".teachers"
    for arm in ("labels", "alone-base"):
        do(order(table, arm, tmp_path / "out" / arm / "seed-1"), lambda text, share: None)
        (teacher,) = folders.glob("*/checkpoint.safetensors")
    made = teacher.stat().st_mtime_ns
    do(order(table, "labels", tmp_path / "out" / "labels" / "seed-2", seed=2), lambda text, share: None)
    assert len(list(folders.glob("*/checkpoint.safetensors"))) == 2, "another seed has another teacher"
    assert teacher.stat().st_mtime_ns == made


def test_widths_are_added_to_the_network_of_another_arm_with_the_same_seed(tmp_path: Path, table: Table) -> None:
    """Whichever run comes first trains that network, once."""
    table, out = table_in(tmp_path, WIDTHS), tmp_path / "out"
    told: list[str] = []
    path = do(order(table, "widths", out / "widths" / "seed-1"), lambda text, share: told.append(text))
    assert "labels, epoch 1 of 1" in told
    record = read_run(path)
    assert record is not None
    assert list(record.nets) == ["super", "base", "88.80", "80.88", "44.44", "40.40"]
    first = out / "labels" / "seed-1" / "train" / CHECKPOINT
    assert record.after == "labels"
    lines = json.loads((path.parent / "train-after-labels" / "history.json").read_text())["history"]
    assert lines[0]["val_super"] == load_checkpoint(first)[1].accuracy["super"].val, "it began with that network"
    assert [line["seconds"] > 0 for line in lines] == [False, True]
    before = first.stat().st_mtime_ns
    do(order(table, "labels", out / "labels" / "seed-1"), lambda text, share: None)
    assert first.stat().st_mtime_ns == before
    # The same arm, not after labels any more: what was trained so is another run.
    alone = runs_of(table_in(tmp_path, WIDTHS.replace('after = "labels"\n', "")), out)
    assert [run.arm.name for run in alone if run.found() is not None] == ["labels"]
    table = table_in(tmp_path, WIDTHS)
    results = results_of(table, runs_of(table, out))
    assert [arm.after for arm in results.arms] == ["", "", "labels"]
    assert [len(arm.runs) for arm in results.arms] == [1, 0, 1]


def test_a_run_waits_for_another_process_that_trains_in_its_folder(tmp_path: Path, table: Table) -> None:
    out = tmp_path / "out" / "labels" / "seed-1"
    (out / "train").mkdir(parents=True)
    told = threading.Event()
    with ThreadPoolExecutor(1) as pool, (out / "train" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = pool.submit(do, order(table, "labels", out), lambda text, share: told.set())
        assert told.wait(60)
        time.sleep(0.3)
        assert not list(out.glob("train/*.safetensors"))
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert waiting.result(60).is_file()


def test_progress_is_told_twice_a_second(tmp_path: Path) -> None:
    now = 0.0
    tell = telling(tmp_path, lambda: now)
    for text, at in (("one", 0.0), ("two", 0.4), ("three", 0.6)):
        now = at
        tell(text, at)
        assert json.loads((tmp_path / PROGRESS).read_text())[0] == {"two": "one"}.get(text, text)


def test_a_run_needs_no_tensorflow() -> None:
    """On a machine with a GPU there may be none."""
    recipe = load_recipe("cifar10-r20")
    found = closure("dimmer.pipeline.reporting.experiments.worker", *recipe.modules)
    assert {"torch", "numpy", "safetensors"} <= set(found.packages)
    assert not {"tensorflow", "onnx", "onnx2tf", "ai_edge_litert", "tvm"} & set(found.packages)


COMMAND = [sys.executable, "-m", "dimmer.pipeline.experiment"]


@pytest.mark.slow
def test_a_table_that_was_killed_goes_on_and_nothing_outlives_it(tmp_path: Path) -> None:
    """Two processes with MNIST-5k; a run that was cut ends in the bytes of one that was not."""
    text = TABLE.replace("seeds = [1, 2]", "seeds = [1]").replace(
        '"train.epochs" = 2', '"train.epochs" = 4, "train.batch" = 128'
    )
    home = table_in(tmp_path, text).path.parent
    environment = {**os.environ, "DIMMER_BUILD": str(tmp_path / "build")}
    words = [*COMMAND, str(home), "--jobs", "2"]
    out = tmp_path / "build" / "tiny" / "experiments" / "depth"
    began = subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    states = [out / arm / "seed-1" / "train" / "state.safetensors" for arm in ("labels", "alone-base")]
    deadline = time.monotonic() + 300
    while not all(state.is_file() for state in states) and time.monotonic() < deadline:
        time.sleep(0.05)
    began.send_signal(signal.SIGKILL)
    began.wait()
    time.sleep(1.0)
    workers = subprocess.run(["pgrep", "-f", "experiments.worker .*/dimmer-"], capture_output=True, text=True)
    assert not [pid for pid in workers.stdout.split() if str(tmp_path) in Path(f"/proc/{pid}/environ").read_text()]
    assert not list(out.glob("*/seed-1/run.json"))
    subprocess.run(words, cwd=ROOT, env=environment, check=True, capture_output=True)
    cut = (out / "labels" / "seed-1" / "train" / "checkpoint.safetensors").read_bytes()
    subprocess.run([*words, "--out", str(tmp_path / "whole")], cwd=ROOT, env=environment, check=True)
    assert (tmp_path / "whole" / "labels" / "seed-1" / "train" / "checkpoint.safetensors").read_bytes() == cut


def test_what_was_begun_behind_another_arm_s_network_goes_on_without_that_arm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its float epochs were trained anew, and then not used."""
    table, out = table_in(tmp_path, WIDTHS), tmp_path / "out"
    (run,) = [run for run in runs_of(table, out) if (run.arm.name, run.seed) == ("widths", 1)]
    state_of(run.folder / "train-after-labels", run.known_by, 1)
    starts: list[object] = []

    def train(*_: object, start: Path | None = None, **__: object) -> Path:
        starts.append(start)
        raise KeyboardInterrupt

    monkeypatch.setattr("dimmer.pipeline.training.loop.train", train)
    with pytest.raises(KeyboardInterrupt):
        do(order(table, "widths", run.folder), lambda text, share: None)
    assert starts == [None]
    assert not (out / "labels").exists()
