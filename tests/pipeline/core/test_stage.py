# SPDX-License-Identifier: Apache-2.0
"""A stage runs once, runs again when anything it came from changed, and never passes off half a result as whole."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import Closure
from dimmer.pipeline.core.partial import KEY_FILE
from dimmer.pipeline.core.stage import MANIFEST, ROOT, Json, Stage, StageResult, atomic_write


class Bench:
    """A stage with one input and one code file, which counts how often its action was called."""

    def __init__(self, root: Path) -> None:
        self.input = root / "input.txt"
        self.code = root / "code"
        self.folder = root / "build" / "shout"
        self.calls = 0
        self.input.write_text("hello")
        self.code.mkdir()
        (self.code / "shout.py").write_text("upper")

    def run(self, settings: dict[str, Json] | None = None) -> StageResult:
        return self.stage(self.action, settings).run()

    def stage(self, action: Callable[[Path], None], settings: dict[str, Json] | None = None) -> Stage:
        return Stage("shout", self.folder, action, [self.input], settings or {}, files=[self.code])

    def action(self, folder: Path) -> None:
        self.calls += 1
        (folder / "deep").mkdir()
        (folder / "deep" / "output.txt").write_text(self.input.read_text().upper())

    def output(self) -> str:
        return (self.folder / "deep" / "output.txt").read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_second_run_is_cached(bench: Bench) -> None:
    assert not bench.run().cached
    assert bench.run().cached
    assert bench.calls == 1
    assert bench.output() == "HELLO"


def test_changed_input_runs_again(bench: Bench) -> None:
    bench.run()
    bench.input.write_text("goodbye")
    assert not bench.run().cached
    assert bench.output() == "GOODBYE"


def test_changed_code_runs_again_but_byte_code_does_not(bench: Bench) -> None:
    bench.run()
    (bench.code / "__pycache__").mkdir()
    (bench.code / "__pycache__" / "shout.pyc").write_text("x")
    assert bench.run().cached
    (bench.code / "shout.py").write_text("lower")
    assert not bench.run().cached


def test_changed_contents_run_again(bench: Bench) -> None:
    stage = bench.stage(bench.action)
    stage.run()
    assert replace(stage, contents={"data": "a hash"}).run().cached is False


def test_changed_settings_run_again(bench: Bench) -> None:
    bench.run({"epochs": 1, "widths": (8, 4)})
    assert bench.run({"widths": [8, 4], "epochs": 1}).cached
    assert not bench.run({"epochs": 2, "widths": [8, 4]}).cached


@pytest.mark.parametrize("damage", ["truncate", "tamper", "delete", "add", "manifest"])
def test_damaged_output_runs_again(bench: Bench, damage: str) -> None:
    bench.run()
    output = bench.folder / "deep" / "output.txt"
    match damage:
        case "truncate":
            output.write_text("HEL")
        case "tamper":
            output.write_text("JELLO")
        case "delete":
            output.unlink()
        case "add":
            (bench.folder / "stray.txt").write_text("?")
        case "manifest":
            (bench.folder / MANIFEST).write_text('{"key"')
    assert not bench.run().cached
    assert bench.output() == "HELLO"
    assert sorted(p.name for p in bench.folder.iterdir()) == ["deep", MANIFEST]


def test_failed_action_leaves_the_old_result_and_no_debris(bench: Bench) -> None:
    bench.run()
    bench.input.write_text("goodbye")

    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        bench.stage(fail).run()
    assert bench.output() == "HELLO"
    assert sorted(p.name for p in bench.folder.parent.iterdir()) == [".shout.lock", "shout"]
    assert not bench.run().cached


def test_missing_input_is_named(bench: Bench) -> None:
    bench.input.unlink()
    with pytest.raises(DimmerError, match=r"stage 'shout': .*input\.txt is missing; check the path"):
        bench.run()


def test_full_disk_is_one_line(bench: Bench) -> None:
    def fill(folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DimmerError, match=r"stage 'shout': no space left on the disk of .*; free some") as caught:
        bench.stage(fill).run()
    assert "\n" not in str(caught.value)
    assert not bench.folder.exists()


def test_a_finished_training_outlives_a_disk_that_fills_at_its_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[list[str]] = []

    def train(folder: Path) -> None:
        found.append(sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")))
        (folder / "last.pt").write_text("hours of work")

    def full(path: Path, content: bytes | str) -> bool:
        if path.name == MANIFEST:
            raise OSError(errno.ENOSPC, "No space left on device")
        return atomic_write(path, content)

    stage = replace(bench.stage(train), keep_partial=True)
    monkeypatch.setattr("dimmer.pipeline.core.stage.atomic_write", full)
    with pytest.raises(DimmerError, match="no space left"):
        stage.run()
    monkeypatch.undo()
    assert not stage.run().cached
    assert found == [[], ["last.pt"]]
    assert sorted(path.name for path in bench.folder.iterdir()) == ["last.pt", MANIFEST]


@pytest.mark.parametrize("is_renamed", [False, True])
def test_a_finished_training_outlives_a_stop_at_its_very_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, is_renamed: bool
) -> None:
    found: list[list[str]] = []

    def train(folder: Path) -> None:
        found.append(sorted(path.name for path in folder.iterdir() if path.name != KEY_FILE))
        (folder / "last.pt").write_text("hours of work")

    rename = Path.rename

    def stopped(path: Path, to: Path) -> Path:
        if is_renamed:
            rename(path, to)
        raise KeyboardInterrupt

    stage = replace(bench.stage(train), keep_partial=True)
    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        stage.run()
    monkeypatch.undo()
    assert stage.run().cached is is_renamed
    assert found == ([[]] if is_renamed else [[], ["last.pt", MANIFEST]])
    assert sorted(path.name for path in bench.folder.iterdir()) == ["last.pt", MANIFEST]


@pytest.mark.parametrize("which", ["input", "code"])
@pytest.mark.parametrize("gone", [False, True])
def test_what_is_made_anew_meanwhile_gives_no_result(bench: Bench, which: str, gone: bool) -> None:
    """Another build of the model with another recipe: its result would count as this one's for ever."""
    path = bench.input if which == "input" else bench.code / "shout.py"

    def action(folder: Path) -> None:
        path.unlink()
        if not gone:
            path.write_text("of another build")
        bench.calls += 1

    with pytest.raises(DimmerError, match=r"stage 'shout': .* was made anew or edited meanwhile; run the same command"):
        bench.stage(action).run()
    assert not bench.folder.exists()
    path.write_text("hello")
    assert not bench.run().cached


def test_code_that_is_edited_meanwhile_is_loaded_already(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def action(folder: Path) -> None:
        monkeypatch.setattr(Closure, "hashes", lambda self: {"other": "code"})

    assert not bench.stage(action).run().cached
    assert not bench.stage(action).run().cached


SLOW_STAGE = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from dimmer.pipeline.core.stage import Stage

    root, keep = Path(sys.argv[1]), sys.argv[2] == "keep"

    def action(folder):
        epochs = folder / "epochs.txt"
        done = len(epochs.read_text().splitlines()) if epochs.exists() else 0
        print("resumed at", done, flush=True)
        for epoch in range(done, 4):
            with epochs.open("a") as file:
                print(epoch, file=file)
            print("epoch", epoch, flush=True)
            if epoch == 1 and sys.argv[3] == "hang":
                time.sleep(60)

    result = Stage("train", root / "build" / "train", action, [root / "data"], keep_partial=keep).run()
    print("cached", result.cached, flush=True)
    """
)


def start_slow_stage(root: Path, keep: str, behaviour: str) -> subprocess.Popen[str]:
    script = root / "slow_stage.py"
    if not script.exists():
        script.write_text(SLOW_STAGE)
    return subprocess.Popen(
        [sys.executable, str(script), str(root), keep, behaviour],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_in_the_middle(root: Path, keep: str) -> None:
    process = start_slow_stage(root, keep, "hang")
    assert process.stdout is not None
    for line in process.stdout:
        if line == "epoch 1\n":
            break
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.parametrize(("keep", "resumed_at"), [("keep", 2), ("clean", 0)])
def test_killed_run_is_never_taken_for_whole(tmp_path: Path, keep: str, resumed_at: int) -> None:
    (tmp_path / "data").write_text("data")
    folder = tmp_path / "build" / "train"
    kill_in_the_middle(tmp_path, keep)
    assert not folder.exists()

    output, _ = start_slow_stage(tmp_path, keep, "finish").communicate()
    assert output.splitlines()[0] == f"resumed at {resumed_at}"
    assert output.splitlines()[-1] == "cached False"
    assert (folder / "epochs.txt").read_text() == "0\n1\n2\n3\n"
    assert sorted(p.name for p in folder.parent.iterdir()) == [".train.lock", "train"]
    output, _ = start_slow_stage(tmp_path, keep, "finish").communicate()
    assert output == "cached True\n"


def test_killed_run_does_not_resume_with_other_inputs(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("data")
    kill_in_the_middle(tmp_path, "keep")
    (tmp_path / "data").write_text("other data")
    output, _ = start_slow_stage(tmp_path, "keep", "finish").communicate()
    assert output.splitlines()[0] == "resumed at 0"


def test_two_runs_at_once_work_once(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("data")
    runs = [start_slow_stage(tmp_path, "clean", "finish") for _ in range(2)]
    closing = sorted(run.communicate()[0].splitlines()[-1] for run in runs)
    assert closing == ["cached False", "cached True"]


def test_atomic_write_leaves_equal_content_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    assert atomic_write(path, "one")
    before = path.stat().st_mtime_ns
    time.sleep(0.01)
    assert not atomic_write(path, b"one")
    assert path.stat().st_mtime_ns == before
    assert atomic_write(path, "two")
    assert path.read_text() == "two"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_two_threads_write_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together, flush = Barrier(2, timeout=20), os.fsync

    def wait(descriptor: int) -> None:
        if not Path(f"/proc/self/fd/{descriptor}").resolve().is_dir():
            together.wait()
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", wait)
    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(lambda text: atomic_write(tmp_path / "file", text), ("one", "two")))
    assert (tmp_path / "file").read_text() in {"one", "two"}
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_edit_of_the_action_runs_it_again(tmp_path: Path) -> None:
    """Of its file nothing was in the key."""
    file = tmp_path / "described.py"
    for share, spared in ((1, False), (1, True), (2, False)):
        file.write_text(f"SHARE = {share}\n\n\ndef action(out):\n    (out / 'share').write_text(str(SHARE))\n")
        names: dict[str, Any] = {}
        exec(compile(file.read_text(), str(file), "exec"), names)
        assert Stage("share", tmp_path / "share", names["action"]).run().cached == spared
        assert (tmp_path / "share" / "share").read_text() == str(share)
