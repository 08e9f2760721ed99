# SPDX-License-Identifier: Apache-2.0
"""Every operator with random parameters: generated C on this machine equals the reference kernels bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.firmware_gen.elementwise_cases import ELEMENTWISE
from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.island_cases import ISLANDS
from tests.firmware_gen.logic_cases import LOGIC
from tests.firmware_gen.move_cases import MOVES, Build, pick, size
from tests.firmware_gen.networks import tiny_logic, tiny_wide
from tests.firmware_gen.on_board import assert_exact_on
from tests.firmware_gen.recurrent_cases import RECURRENT
from tests.firmware_gen.reduction_cases import REDUCTIONS
from tests.firmware_gen.tflite_builder import Layers
from tests.firmware_gen.wide_cases import WIDE

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


def image(net: Layers, smallest: int = 1) -> int:
    return net.activation([1, size(net, smallest, 12), size(net, smallest, 12), size(net, 1, 20)])


def conv(net: Layers) -> tuple[int, int]:
    x = image(net, 7)
    kernel = (size(net, 1, 4), size(net, 1, 4))
    dilation = (size(net, 1, 2), size(net, 1, 2))
    stride = (size(net, 1, 3), size(net, 1, 3))
    padding, activation = str(pick(net, "SAME", "VALID")), str(pick(net, *ACTIVATIONS))
    per_channel = bool(pick(net, True, True, False))
    # The stock interpreter demands a bias of CONV_2D.
    return x, net.conv(x, size(net, 1, 19), kernel, stride, dilation, padding, activation, per_channel=per_channel)


def pointwise(net: Layers) -> tuple[int, int]:
    x = image(net)
    return x, net.conv(x, size(net, 1, 33), (1, 1), activation=str(pick(net, *ACTIVATIONS)))


def depthwise(net: Layers) -> tuple[int, int]:
    x = image(net, 7)
    kernel, stride = (size(net, 1, 4), size(net, 1, 4)), (size(net, 1, 2), size(net, 1, 2))
    dilation = (size(net, 1, 2), size(net, 1, 2))
    padding, activation = str(pick(net, "SAME", "VALID")), str(pick(net, *ACTIVATIONS))
    return x, net.depthwise(
        x, size(net, 1, 3), kernel, stride, dilation, padding, activation, bool(pick(net, True, False))
    )


def depthwise_of_one_channel(net: Layers) -> tuple[int, int]:
    x = net.activation([1, size(net, 7, 14), size(net, 7, 14), 1])
    kernel, stride = (size(net, 1, 7), size(net, 1, 7)), (size(net, 1, 3), size(net, 1, 3))
    padding, activation = str(pick(net, "SAME", "VALID")), str(pick(net, *ACTIVATIONS))
    return x, net.depthwise(x, size(net, 1, 9), kernel, stride, padding=padding, activation=activation)


def dense(net: Layers) -> tuple[int, int]:
    x = net.activation([1, size(net, 1, 300)])
    activation, bias = str(pick(net, *ACTIVATIONS)), bool(pick(net, True, False))
    return x, net.dense(x, size(net, 1, 40), activation, bias, bool(pick(net, True, False)))


def dense_rows(net: Layers) -> tuple[int, int]:
    rows, depth, channels = size(net, 2, 5), size(net, 1, 40), size(net, 1, 12)
    x = net.activation([1, rows, depth])
    weights = net.weights([channels, depth], 0, per_channel=bool(pick(net, True, False)))
    keep = bool(pick(net, True, False))
    shape = [1, rows, channels] if keep else [rows, channels]
    output = net.output_of(shape, depth, x, weights)
    return x, net.operator("FULLY_CONNECTED", [x, weights], output, keepNumDims=keep)


def sum_or_product(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        x = net.activation([1, size(net, 1, 6), size(net, 1, 6), size(net, 1, 20)])
        other = net.conv(x, net.shape(x)[3], (1, 1))
        operands = (x, other) if pick(net, True, False) else (other, x)
        return x, net.elementwise(kind, *operands, str(pick(net, *ACTIVATIONS)))

    return build


def with_constant(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        x = net.activation([1, size(net, 2, 5), size(net, 2, 5), size(net, 2, 9)])
        height, width, depth = net.shape(x)[1:]
        shape = pick(
            net,
            [depth],
            [1, 1, 1, depth],
            [1, height, 1, 1],
            [1, height, width, depth],
            [1],
            [width, 1],
            [1, height, 1, depth],
        )
        values = net.random.integers(-128, 128, size=shape)
        constant = net.tensor(
            "constant",
            shape,
            "int8",
            float(net.random.uniform(0.01, 0.1)),
            int(net.random.integers(-128, 128)),
            0,
            values,
        )
        operands = (x, constant) if pick(net, True, False) else (constant, x)
        return x, net.elementwise(kind, *operands, str(pick(net, *ACTIVATIONS)))

    return build


def broadcast(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        x = net.activation([1, size(net, 2, 6), size(net, 2, 6), size(net, 1, 9)])
        height, width, _ = net.shape(x)[1:]
        pooled = net.pool("AVERAGE_POOL_2D", x, (height, width), (1, 1), "VALID", "NONE")
        return x, net.elementwise(kind, x, net.conv(pooled, net.shape(x)[3], (1, 1)))

    return build


def pad(net: Layers) -> tuple[int, int]:
    x = image(net)
    return x, net.pad(x, [(0, 0), *((size(net, 0, 3), size(net, 0, 3)) for _ in range(3))])


def pad_and_conv(net: Layers) -> tuple[int, int]:
    x = image(net, 4)
    padded = net.pad(x, [(0, 0), (size(net, 0, 2), size(net, 0, 2)), (size(net, 0, 2), size(net, 0, 2)), (0, 0)])
    padding, stride = str(pick(net, "SAME", "VALID")), (size(net, 1, 2), size(net, 1, 2))
    if pick(net, True, False):
        return x, net.conv(padded, 5, (3, 3), stride, padding=padding)
    return x, net.depthwise(padded, 1, (3, 3), stride, padding=padding)


def mean(net: Layers) -> tuple[int, int]:
    x = image(net, 2)
    axes = pick(net, [1, 2], [2, 1], [-3, -2], [3], [1], [2], [1, 2, 3], [2, 3])
    keep = bool(pick(net, True, False))
    shape = net.shape(x)
    reduced = {axis % 4 for axis in axes}
    kept = [1 if axis in reduced else n for axis, n in enumerate(shape) if keep or axis not in reduced]
    scale = net.scale_of(x) * float(net.random.uniform(0.2, 1.5))
    output = net.activation(kept, scale, name="mean")
    return x, net.operator("MEAN", [x, net.constant("axes", axes)], output, keepDims=keep)


def pool(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        x = image(net, 4)
        window, stride = (size(net, 1, 4), size(net, 1, 4)), (size(net, 1, 3), size(net, 1, 3))
        return x, net.pool(kind, x, window, stride, str(pick(net, "SAME", "VALID")), str(pick(net, *ACTIVATIONS)))

    return build


def softmax(net: Layers) -> tuple[int, int]:
    x = net.activation([1, size(net, 1, 5), size(net, 2, 30)], float(net.random.uniform(0.001, 0.5)))
    output = net.activation(net.shape(x), 1 / 256, -128, "probabilities")
    return x, net.operator("SOFTMAX", [x], output, beta=float(pick(net, 1.0, 0.5, 2.0)))


def logistic(net: Layers) -> tuple[int, int]:
    x = net.activation([1, size(net, 1, 300)], float(net.random.uniform(0.001, 0.3)))
    return x, net.operator("LOGISTIC", [x], net.activation(net.shape(x), 1 / 256, -128, "y"))


def relu(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        x = image(net)
        output = net.activation(net.shape(x), net.scale_of(x) * float(net.random.uniform(0.3, 3)), name="y")
        return x, net.operator(kind, [x], output)

    return build


def requantize(net: Layers) -> tuple[int, int]:
    x = image(net)
    return x, net.operator("QUANTIZE", [x], net.activation(net.shape(x), name="y"))


def float_ends(net: Layers) -> tuple[int, int]:
    x = net.tensor("x", [1, 6, 6, 3], "float32")
    quantised = net.operator("QUANTIZE", [x], net.activation([1, 6, 6, 3], name="quantised"))
    y = net.conv(quantised, 4)
    return x, net.operator("DEQUANTIZE", [y], net.tensor("y", net.shape(y), "float32"))


def float_shapes(net: Layers) -> tuple[int, int]:
    x = net.tensor("x", [1, 108], "float32")
    image = net.tensor("image", [1, 6, 6, 3], "float32")
    net.operator("RESHAPE", [x, net.constant("shape", [1, 6, 6, 3])], image, newShape=[1, 6, 6, 3])
    quantised = net.operator("QUANTIZE", [image], net.activation([1, 6, 6, 3], name="quantised"))
    y = net.conv(quantised, 4)
    real = net.operator("DEQUANTIZE", [y], net.tensor("real", net.shape(y), "float32"))
    return x, net.operator("SQUEEZE", [real], net.tensor("y", net.shape(y)[1:], "float32"), squeezeDims=[0])


def unsigned_ends(net: Layers) -> tuple[int, int]:
    x = net.tensor("x", [1, 6, 6, 3], "uint8", 0.02, int(net.random.integers(0, 256)))
    quantised = net.operator("QUANTIZE", [x], net.activation([1, 6, 6, 3], name="quantised"))
    y = net.conv(quantised, 4)
    scale = net.scale_of(y) * float(net.random.uniform(0.5, 2))
    return x, net.operator(
        "QUANTIZE", [y], net.tensor("y", net.shape(y), "uint8", scale, int(net.random.integers(0, 256)))
    )


def concatenation(net: Layers) -> tuple[int, int]:
    x = net.activation([1, 4, 5, 6])
    axis = size(net, 1, 3)
    others = [x]
    for _ in range(size(net, 1, 2)):
        depth = size(net, 1, 7) if axis == 3 else 6
        y = net.conv(x, depth, (1, 1), output=net.activation([1, 4, 5, depth], net.scale_of(x), net.zero_point_of(x)))
        others.append(y)
    shape = list(net.shape(x))
    shape[axis] = sum(net.shape(other)[axis] for other in others)
    signed = int(pick(net, axis, axis - 4))
    return x, net.same("CONCATENATION", x, shape, others[1:], axis=signed)


def transpose(net: Layers) -> tuple[int, int]:
    rank = size(net, 2, 4)
    x = net.activation([1, *(size(net, 1, 7) for _ in range(rank - 1))])
    order = net.random.permutation(rank)
    return x, net.same("TRANSPOSE", x, [net.shape(x)[axis] for axis in order], [net.constant("order", order)])


def reshape(net: Layers) -> tuple[int, int]:
    x = net.activation([1, 4, 5, 6])
    return x, net.dense(net.reshape(net.conv(x, 3), [1, 60]), 7)


NEW = {**MOVES, **ELEMENTWISE, **REDUCTIONS, **RECURRENT, **LOGIC, **ISLANDS, **WIDE}
"""Those that are tried on an emulated core as well."""
OPERATORS: dict[str, tuple[Build, int]] = {
    "conv": (conv, 24),
    "pointwise": (pointwise, 6),
    "depthwise": (depthwise, 16),
    "depthwise_of_one_channel": (depthwise_of_one_channel, 6),
    "dense": (dense, 10),
    "dense_rows": (dense_rows, 4),
    "add": (sum_or_product("ADD"), 6),
    "sub": (sum_or_product("SUB"), 6),
    "mul": (sum_or_product("MUL"), 6),
    "add_constant": (with_constant("ADD"), 6),
    "sub_constant": (with_constant("SUB"), 6),
    "mul_constant": (with_constant("MUL"), 6),
    "add_broadcast": (broadcast("ADD"), 2),
    "mul_broadcast": (broadcast("MUL"), 2),
    "pad": (pad, 6),
    "pad_and_conv": (pad_and_conv, 8),
    "mean": (mean, 16),
    "average_pool": (pool("AVERAGE_POOL_2D"), 8),
    "max_pool": (pool("MAX_POOL_2D"), 8),
    "softmax": (softmax, 8),
    "logistic": (logistic, 6),
    "relu": (relu("RELU"), 4),
    "relu6": (relu("RELU6"), 4),
    "relu_n1_to_1": (relu("RELU_N1_TO_1"), 3),
    "requantize": (requantize, 5),
    "float_ends": (float_ends, 2),
    "unsigned_ends": (unsigned_ends, 3),
    "float_shapes": (float_shapes, 2),
    "concatenation": (concatenation, 6),
    "transpose": (transpose, 6),
    "reshape": (reshape, 2),
    **NEW,
}


def write_case(folder: Path, name: str, build: Build, seed: int) -> Case:
    net = Layers(seed)
    source, output = build(net)
    path = folder / f"{name}_{seed}.tflite"
    path.write_bytes(net.build(source, output))
    return Case(path.stem, path, edge_inputs(path, 6, seed))


FEW = 3
"""Shapes of an operator by default; the slow test below has thousands."""


def networks(folder: Path) -> list[Case]:
    """Networks of the operators that are not tried one by one."""
    cases = []
    for name, data in (("logic", tiny_logic()), ("wide", tiny_wide())):
        path = folder / f"{name}.tflite"
        path.write_bytes(data)
        cases.append(Case(name, path, edge_inputs(path, 6)))
    return cases


def test_operators_are_bit_exact(tmp_path: Path) -> None:
    cases = networks(tmp_path) + [
        write_case(tmp_path, name, build, seed)
        for name, (build, count) in OPERATORS.items()
        for seed in range(min(count, FEW))
    ]
    assert_exact(cases, tmp_path)


@pytest.mark.board("mps2-an386")
def test_operators_are_bit_exact_on_a_core(tmp_path: Path) -> None:
    cases = [write_case(tmp_path, name, build, 50) for name, (build, count) in NEW.items() if count]
    assert_exact_on("mps2-an386", networks(tmp_path) + cases, tmp_path)


@pytest.mark.board("mps3-an547")
def test_products_are_bit_exact_on_a_core_with_helium(tmp_path: Path) -> None:
    cases = [
        write_case(tmp_path, name, OPERATORS[name][0], seed)
        for name in ("attention", "batch_matmul")
        for seed in (50, 51)
    ]
    assert_exact_on("mps3-an547", cases, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 2100, 200))
def test_operators_are_bit_exact_with_many_seeds(first: int, tmp_path: Path) -> None:
    chosen = np.random.default_rng(first).choice(list(OPERATORS), size=200)
    assert_exact(
        [write_case(tmp_path, name, OPERATORS[name][0], first + number) for number, name in enumerate(chosen)], tmp_path
    )
