# SPDX-License-Identifier: Apache-2.0
"""onnx2tf in processes of its own, with a package of its name that fails on files named bad."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.float_model import float_models
from tests.pipeline.conversion.graphs import write_graph

STAND_IN = """
import os
from pathlib import Path

def convert(input_onnx_file_path, output_folder_path, **options):
    name = Path(input_onnx_file_path).stem
    print("working on", name)
    if name == "bad":
        raise ValueError("no such operator")
    Path(output_folder_path).mkdir()
    (Path(output_folder_path) / f"{name}_float32.tflite").write_text(str(os.getpid()))
"""


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "onnx2tf.py").write_text(STAND_IN)
    others = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "packages"), *([others] if others else [])]))


def written(folder: Path, *names: str) -> list[Path]:
    return [write_graph(folder / f"{name}.onnx", name) for name in names]


def test_files_are_shared_out_to_two_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    float_models(written(tmp_path, "a", "b", "c"), tmp_path)
    processes = [(tmp_path / f"{name}.float.tflite").read_text() for name in "abc"]
    assert processes[0] == processes[2] != processes[1]
    assert not list(tmp_path.glob(".onnx2tf*"))


def test_what_a_worker_raised_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"^onnx2tf failed: ValueError: no such operator$"):
        float_models(written(tmp_path, "bad", "good"), tmp_path)
    assert not list(tmp_path.glob(".onnx2tf*"))
