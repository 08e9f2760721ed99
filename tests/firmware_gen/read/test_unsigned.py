# SPDX-License-Identifier: Apache-2.0
"""Files of uint8: what they become, what is told of others, and that every operator gives the same codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.graph.types import DType
from dimmer.firmware_gen.kernels.unsigned import CONV_2D_OFFSET
from dimmer.firmware_gen.read.flatbuffer import read_flatbuffer
from dimmer.firmware_gen.read.tflite import parse_tflite
from dimmer.firmware_gen.read.unsigned import OTHERWISE, SIGNED_ALONE, recoded
from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.lower.lowered import steps_of
from tests.firmware_gen.networks import tiny_mobile, tiny_resnet
from tests.firmware_gen.on_board import assert_exact_on
from tests.firmware_gen.read.damaged import refusal
from tests.firmware_gen.test_operators import OPERATORS
from tests.firmware_gen.tflite_builder import Layers, pack
from tests.firmware_gen.unsigned_cases import as_unsigned
from tests.firmware_gen.wide_cases import WIDE

ENDS = ("float_ends", "unsigned_ends", "float_shapes", "cast", "unsigned_cast")
REFUSED = (
    *(
        "abs",
        "attention",
        "batch_matmul",
        "bool_input",
        "self_attention",
        "exp",
        "log",
        "neg",
        "rsqrt",
        "sqrt",
        "squared_difference",
    ),
    *("l2_normalization", "resize_bilinear", "lstm", "svdf", "floor_division"),
)
EXACT = [name for name in OPERATORS if name not in (*ENDS, *REFUSED, *WIDE)]


def case(name: str, seed: int, folder: Path) -> Case:
    net = Layers(seed)
    path = folder / f"{name}_{seed}.tflite"
    path.write_bytes(as_unsigned(net, *OPERATORS[name][0](net)))
    return Case(path.stem, path, edge_inputs(path, 6, seed))


def test_operators_that_tell_uint8_apart_are_bit_exact(tmp_path: Path) -> None:
    names = ("conv", "depthwise", "dense", "average_pool", "mean", "softmax", "logistic", "requantize")
    assert_exact([case(name, seed, tmp_path) for name in names for seed in range(2)], tmp_path)


@pytest.mark.board("mps2-an386")
def test_operators_are_bit_exact_on_a_core(tmp_path: Path) -> None:
    names = ("conv", "depthwise", "dense", "average_pool", "mean", "add", "softmax")
    assert_exact_on("mps2-an386", [case(name, seed, tmp_path) for name in names for seed in (4, 5)], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 12, 3))
def test_operators_are_bit_exact(first: int, tmp_path: Path) -> None:
    assert_exact([case(name, seed, tmp_path) for name in EXACT for seed in range(first, first + 3)], tmp_path)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_operator_of_uint8_is_told(name: str) -> None:
    net = Layers(0)
    message = refusal(as_unsigned(net, *OPERATORS[name][0](net)))
    assert any(f"{kind} " in message for kind in (*OTHERWISE, *SIGNED_ALONE))
    assert message.endswith("works on uint8, of which it is not supported; quantise the network to int8")


def unsigned_conv(zero_point: int, codes: list[int]) -> bytes:
    net = Layers(0)
    x = net.tensor("x", [1, 1, 1, 2], "uint8", 0.1, 131)
    values = np.array(codes).reshape(1, 1, 1, 2)
    weights = net.tensor("w", [1, 1, 1, 2], "uint8", 0.01, zero_point, 0, values)
    bias = net.tensor("b", [1], "int32", 0.001, 0, 0, np.array([7]))
    window = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    return net.build(
        x, net.operator("CONV_2D", [x, weights, bias], net.tensor("y", [1, 1, 1, 1], "uint8", 0.1, 3), **window)
    )


def test_weights_lose_their_zero_point_where_that_fits() -> None:
    graph = parse_tflite(unsigned_conv(150, [22, 255]), "net.tflite")
    assert [operator.kind for operator in graph.operators] == ["QUANTIZE", "CONV_2D", "QUANTIZE"]
    assert (graph.tensors[graph.input].dtype, graph.tensors[graph.output].dtype) == (DType.UINT8, DType.UINT8)
    weights = graph.tensors[graph.operators[1].inputs[1]]
    assert (weights.data, weights.q.zero_point) == (np.array([-128, 105], np.int8).tobytes(), 0)
    weights = parse_tflite(unsigned_conv(150, [21, 255]), "net.tflite").tensors[2]
    assert (weights.data, weights.q.zero_point) == (np.array([-107, 127], np.int8).tobytes(), 22)
    assert CONV_2D_OFFSET in {step.kernel for step in steps_of(unsigned_conv(150, [21, 255]))}


def test_int8_files_stay_as_they_are() -> None:
    for data in (tiny_resnet(), tiny_mobile()):
        raw = read_flatbuffer(data, "net.tflite")
        assert recoded(raw).raw is raw


def test_weights_of_uint8_have_one_scale() -> None:
    model: Any = schema.ModelT.InitFromPackedBuf(unsigned_conv(150, [22, 255]), 0)
    weights = model.subgraphs[0].tensors[1]
    weights.shape, weights.quantization.scale, weights.quantization.zeroPoint = [2, 1, 1, 1], [0.1, 0.2], [128, 128]
    assert "quantised per channel" in refusal(pack(model))


@pytest.mark.parametrize("kind", ["GATHER", "MAXIMUM"])
def test_weights_that_somebody_else_reads_keep_their_codes(kind: str, tmp_path: Path) -> None:
    """A tied embedding was shifted by 128 less its zero point."""
    net = Layers(3)
    x = net.tensor("x", [1, 4], "uint8", 0.05, 120)
    shape = [6, 4] if kind == "GATHER" else [1, 4]
    table = net.tensor("table", shape, "uint8", 0.02, 100, 0, net.random.integers(20, 220, size=shape))
    y = net.operator("FULLY_CONNECTED", [x, table], net.tensor("y", [1, shape[0]], "uint8", 0.05, 110))
    places = net.tensor("places", [1, 3], "int32")
    made = net.tensor("made", [1, 3, 4] if kind == "GATHER" else [1, 4], "uint8", 0.02, 100)
    if kind == "GATHER":
        net.operator("GATHER", [table, places], made, axis=0)
    else:
        net.operator("MAXIMUM", [x, table], made)
    path = tmp_path / "tied.tflite"
    path.write_bytes(pack(net.model([x, places] if kind == "GATHER" else [x], [y, made])))
    assert_exact([Case("tied", path, edge_inputs(path, 6))], tmp_path / "built")
