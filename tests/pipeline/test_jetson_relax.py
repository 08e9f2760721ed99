"""Modes as TVM functions: bit for bit what the reference kernels give, on weights that are there once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from firmware_gen.generate import ModeSource
from firmware_gen.read_tflite import read_tflite
from firmware_gen.tables import even_policy
from pipeline import jetson
from pipeline.errors import DimmerError
from pipeline.firmware import sample_inputs
from pipeline.jetson_modules import load_modules
from pipeline.jetson_onnx import write_qdq
from pipeline.jetson_relax import build_modules
from pipeline.oracle import reference_outputs
from targets import load_target
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.tflite_builder import Layers

Int8 = npt.NDArray[np.int8]
needs_tvm = pytest.mark.xdist_group("tvm")


@pytest.fixture
def tvm() -> Any:
    return pytest.importorskip("tvm", reason="needs apache-tvm")


def outputs(tvm: Any, folder: Path, mode: ModeSource, inputs: bytes) -> bytes:
    """What a mode's function makes of inputs, one after the other."""
    document = json.loads((folder / "modules.json").read_text())
    blob = (folder / "weights.bin").read_bytes()
    weights = []
    for entry in json.loads((folder / "weights.json").read_text()):
        part = np.frombuffer(blob, entry["dtype"], int(np.prod(entry["shape"])), entry["offset"])
        weights.append(tvm.runtime.tensor(part.reshape(entry["shape"])))
    machine = tvm.relax.VirtualMachine(tvm.runtime.load_module(str(folder / "dimmer_modes.so")), tvm.cpu())
    function = machine[next(entry["function"] for entry in document["modes"] if entry["name"] == mode.name)]
    images = np.frombuffer(inputs, np.int8).reshape(-1, *document["input"]["shape"])
    return b"".join(function(tvm.runtime.tensor(image.copy()), *weights).numpy().tobytes() for image in images)


def compare(tvm: Any, modes: list[ModeSource], out: Path, samples: int = 20) -> None:
    build_modules({mode.name: mode.path for mode in modes}, "host", out)
    for mode in modes:
        inputs = sample_inputs(mode.path, samples)
        assert outputs(tvm, out, mode, inputs) == reference_outputs(mode.path, inputs), mode.name


@needs_tvm
def test_modes_are_bit_exact_on_one_set_of_weights(tvm: Any, tmp_path: Path) -> None:
    modes = list(write_modes(tmp_path))
    compare(tvm, modes, tmp_path / "out")
    layers = {1000, 1010, 1020, 1011, 1021, 1012, 1022}  # stem and the two layers of each block
    weights = load_modules(tmp_path / "out", [mode.name for mode in modes]).weights
    assert len(weights) == len(layers) + 1  # and the head
    assert len({weight.offset for weight in weights}) == len(weights)


def network(kind: str) -> bytes:
    net = Layers(11)
    x = net.activation([1, 9, 9, 4], 1 / 64, 3)
    match kind:
        case "strided and padded":
            y = net.conv(net.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), 6, stride=(2, 2), padding="VALID")
        case "depthwise with a multiplier":
            y = net.depthwise(x, 2, activation="RELU6")
        case "pools":
            y = net.pool("AVERAGE_POOL_2D", x, (3, 3), (2, 2), "SAME", "RELU")
            y = net.pool("MAX_POOL_2D", y, (2, 2), (1, 1), "SAME", "NONE")
        case "mean":
            mean = net.activation([1, 4], net.scale_of(x), net.zero_point_of(x), "mean")
            y = net.operator("MEAN", [x, net.constant("axes", [1, 2])], mean, keepDims=False)
        case "sum and difference":
            y = net.elementwise("SUB", net.elementwise("ADD", x, net.conv(x, 4), "RELU"), x)
        case "rescaled":
            y = net.operator("RELU6", [net.conv(x, 4)], net.activation([1, 9, 9, 4], 6 / 255, -128, "clipped"))
            y = net.operator("QUANTIZE", [y], net.activation([1, 9, 9, 4], 6 / 15, -128, "narrow"))
        case _:
            raise ValueError(kind)
    return net.build(x, y)


@needs_tvm
@pytest.mark.parametrize(
    "kind",
    ["strided and padded", "depthwise with a multiplier", "pools", "mean", "sum and difference", "rescaled"],
)
def test_operators_are_bit_exact(tvm: Any, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(network(kind))
    compare(tvm, [ModeSource("8", path)], tmp_path / "out")


def test_an_operator_without_a_lowering_is_named(tvm: Any, tmp_path: Path) -> None:
    net = Layers(1)
    x = net.activation([1, 4])
    path = tmp_path / "soft.tflite"
    path.write_bytes(net.build(x, net.softmax(x)))
    with pytest.raises(DimmerError, match=r"soft\.tflite: operator 0 SOFTMAX .* has no lowering for TVM"):
        build_modules({"8": path}, "host", tmp_path / "out")


def test_onnx_with_scales_gives_the_same_codes_but_for_rounding(tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    for mode in write_modes(tmp_path):
        graph = read_tflite(mode.path)
        write_qdq(graph, tmp_path / "mode.onnx")
        session = ort.InferenceSession(str(tmp_path / "mode.onnx"), providers=["CPUExecutionProvider"])
        source, result = graph.tensors[graph.input], graph.tensors[graph.output]
        inputs = np.random.default_rng(1).integers(-128, 128, (20, *source.shape), np.int8)
        expected = np.frombuffer(reference_outputs(mode.path, inputs.tobytes()), np.int8).reshape(20, -1)
        real = ((inputs.astype(np.float32) - source.q.zero_point) * np.float32(source.q.scale)).astype(np.float32)
        got = np.stack([session.run(None, {"image": image})[0].reshape(-1) for image in real])
        codes = np.round(got / result.q.scale) + result.q.zero_point
        assert np.abs(codes - expected).max() <= 2


@pytest.mark.slow
@pytest.mark.board("jetson")
@needs_tvm
def test_the_bundle_of_the_board_is_bit_exact_under_emulation(tvm: Any, tmp_path: Path) -> None:
    target, modes = load_target("jetson"), list(write_modes(tmp_path))
    inputs = sample_inputs(modes[0].path, 50)
    try:
        figures = jetson.make("hand-built", modes, even_policy(len(modes)), inputs, 100, target, tmp_path / "out")
    except DimmerError as error:
        if "cannot be had" not in str(error):
            raise
        pytest.skip(str(error))
    assert figures["architecture"] == "aarch64"
    assert [(mode["verify"]["samples"], mode["verify"]["mismatches"]) for mode in figures["modes"]] == [(100, 0)] * 3
    assert sorted(path.name for path in (tmp_path / "out" / "hand-built" / "onnx").iterdir()) == [
        "800.onnx",
        "880.onnx",
        "888.onnx",
    ]
