# SPDX-License-Identifier: Apache-2.0
"""What stands around onnx2tf, with something else in its place; what it makes itself, the built networks show."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.onnx_to_float import SAMPLE, convert
from tests.pipeline.conversion.graphs import write_graph

Converter = Callable[..., None]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Converter], None]:
    """Puts a converter in onnx2tf's place; what the module changes in this process is put back."""
    monkeypatch.chdir(tmp_path)
    for name in ("PATH", "CUDA_VISIBLE_DEVICES", "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setitem(sys.modules, "tensorflow", tensorflow())
    return lambda converter: monkeypatch.setitem(sys.modules, "onnx2tf", SimpleNamespace(convert=converter))


def tensorflow() -> Any:
    """Where TensorFlow saves a model, and where a converter comes from that says what it was told to optimise."""

    def save(_model: object, folder: str) -> None:
        raise AssertionError(f"saved in {folder}")

    def from_concrete_functions(functions: list[str], trackable_obj: object = None) -> SimpleNamespace:
        one = SimpleNamespace(optimizations=set())
        one.convert = lambda: f"{functions} {one.optimizations or 'plain'}".encode()
        return one

    return SimpleNamespace(
        saved_model=SimpleNamespace(save=save),
        lite=SimpleNamespace(TFLiteConverter=SimpleNamespace(from_concrete_functions=from_concrete_functions)),
    )


def sources(folder: Path) -> list[Path]:
    paths = [folder / f"{name}.onnx" for name in ("88.88", "80.80")]
    return [write_graph(path, path.stem) for path in paths]


def test_each_file_is_simplified_and_converted_as_a_copy(stand_in: Callable[[Converter], None], tmp_path: Path) -> None:
    def converter(input_onnx_file_path: str, output_folder_path: str, **_options: object) -> None:
        # As onnx2tf does: it writes over its input, and next to it wants a sample that it would download.
        assert np.load(SAMPLE).shape == (20, 128, 128, 3)
        given = Path(input_onnx_file_path)
        Path(output_folder_path).mkdir()
        graph = onnx.load(given).graph
        operators = [node.op_type for node in graph.node]
        (Path(output_folder_path) / f"{given.stem}_float32.tflite").write_text(f"{graph.name}: {operators}")
        given.write_text("with names")

    stand_in(converter)
    files, out = sources(tmp_path), tmp_path / "out"
    out.mkdir()
    before = [path.read_bytes() for path in files]
    convert(out, files)
    assert {path.name: path.read_text() for path in out.iterdir()} == {
        "88.88.float.tflite": "88.88: ['Add', 'Relu']",
        "80.80.float.tflite": "80.80: ['Add', 'Relu']",
    }
    assert [path.read_bytes() for path in files] == before


def test_only_the_float_file_is_made(stand_in: Callable[[Converter], None], tmp_path: Path) -> None:
    stand_in_of = sys.modules["tensorflow"]
    reached: list[str] = []

    def converter(input_onnx_file_path: str, output_folder_path: str, **_options: object) -> None:
        # As onnx2tf does.
        stand_in_of.saved_model.save("a model", output_folder_path)
        one = stand_in_of.lite.TFLiteConverter.from_concrete_functions(["run"])
        made = Path(output_folder_path) / f"{Path(input_onnx_file_path).stem}_float32.tflite"
        made.write_bytes(one.convert())
        one.optimizations = ["DEFAULT"]
        reached.append(input_onnx_file_path)
        one.convert()
        reached.append("the file of float16")

    stand_in(converter)
    before = (stand_in_of.saved_model.save, stand_in_of.lite.TFLiteConverter.from_concrete_functions)
    convert(tmp_path, sources(tmp_path))
    assert (tmp_path / "80.80.float.tflite").read_text() == "['run'] plain"
    assert reached == ["88.88.onnx", "80.80.onnx"]
    assert before == (stand_in_of.saved_model.save, stand_in_of.lite.TFLiteConverter.from_concrete_functions)


def test_a_converter_that_writes_nothing_and_says_nothing_is_noticed(
    stand_in: Callable[[Converter], None], tmp_path: Path
) -> None:
    stand_in(lambda **_options: Path("saved").mkdir())
    with pytest.raises(DimmerError, match=r"it wrote no 88\.88_float32\.tflite for 88\.88\.onnx"):
        convert(tmp_path, sources(tmp_path))
