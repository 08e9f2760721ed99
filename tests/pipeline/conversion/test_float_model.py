# SPDX-License-Identifier: Apache-2.0
"""onnx2tf in processes of its own, with a package of its name that fails on files named bad.

onnxsim, which takes seconds to be imported, is stood in for as well.
"""

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

SIMPLIFIER = """
def simplify(graph):
    return graph, True
"""


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "onnx2tf.py").write_text(STAND_IN)
    (tmp_path / "packages" / "onnxsim.py").write_text(SIMPLIFIER)
    others = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "packages"), *([others] if others else [])]))


def written(folder: Path, *names: str) -> list[Path]:
    return [write_graph(folder / f"{name}.onnx", name) for name in names]


def processes_of(tmp_path: Path, names: str) -> list[str]:
    """The process that converted each file."""
    float_models(written(tmp_path, *names), tmp_path)
    assert not list(tmp_path.glob(".onnx2tf*"))
    return [(tmp_path / f"{name}.float.tflite").read_text() for name in names]


@pytest.mark.slow
def test_many_files_are_shared_out_to_two_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    first, second, *others = processes_of(tmp_path, "abcdefgh")
    assert first != second
    assert others == [first, second] * 3


@pytest.mark.slow
def test_few_files_have_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert len(set(processes_of(tmp_path, "abcdefg"))) == 1


@pytest.mark.slow
def test_what_a_worker_raised_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"^onnx2tf failed: ValueError: no such operator$"):
        float_models(written(tmp_path, "bad", "good"), tmp_path)
    assert not list(tmp_path.glob(".onnx2tf*"))
