# SPDX-License-Identifier: Apache-2.0
"""A converter that the kernel killed was reported as a missing CUDA driver: the last line of its log."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.float_model import float_models
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from dimmer.targets import TargetError, load_target
from dimmer.targets.kit.toolchain import compile_objects
from tests.pipeline.conversion.graphs import write_graph

CHATTER = "Could not find cuda drivers on your machine, GPU will not be used."


def stand_in(folder: Path, module: str, does: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is imported in the place of the real one."""
    (folder / "packages").mkdir()
    chatter = f"import os, signal, sys\nprint({CHATTER!r}, file=sys.stderr, flush=True)\n"
    (folder / "packages" / f"{module}.py").write_text(f"{chatter}{does}\n")
    others = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder / "packages"), *([others] if others else [])]))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_the_converter(number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "onnx2tf", f"os.kill(os.getpid(), {int(number)})", monkeypatch)
    with pytest.raises(DimmerError, match=f"^onnx2tf was killed by {number.name}") as told:
        float_models([write_graph(tmp_path / "a.onnx", "a")], tmp_path)
    assert "cuda" not in str(told.value)
    assert ("want of memory" in str(told.value)) == (number == signal.SIGKILL)


def test_the_converter_tells_its_own_exception(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    does = f"import atexit\natexit.register(print, {CHATTER!r})\nraise MemoryError"
    stand_in(tmp_path, "onnx2tf", does, monkeypatch)
    with pytest.raises(DimmerError, match=r"^onnx2tf failed: MemoryError$"):
        float_models([write_graph(tmp_path / "a.onnx", "a")], tmp_path)


def test_the_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "json", "os.kill(os.getpid(), 9)", monkeypatch)
    (tmp_path / "model.tflite").touch()
    found = run_oracle([OracleJob(tmp_path / "model.tflite", b"")])
    assert found == [OracleFailure("the worker was killed by SIGKILL, probably by the kernel for want of memory")]


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_compiler(tmp_path: Path) -> None:
    killed = program(tmp_path, "gcc", f"echo '{CHATTER}' >&2; kill -9 $$")
    source = tmp_path / "a.c"
    source.touch()
    with pytest.raises(TargetError, match=r"was killed by SIGKILL, probably by the kernel for want of memory$"):
        compile_objects([str(killed)], [source], tmp_path, tmp_path)


def test_the_firmware(tmp_path: Path) -> None:
    killed = program(tmp_path, "firmware.elf", "kill -9 $$")
    with pytest.raises(TargetError, match=r"firmware\.elf selftest was killed by SIGKILL, probably"):
        load_target("host").run(killed, ["selftest"], tmp_path)
