# SPDX-License-Identifier: Apache-2.0
"""Operators that work value by value, with random scales and zero points."""

from __future__ import annotations

import numpy as np

from tests.firmware_gen.move_cases import Build, image, pick, size
from tests.firmware_gen.tflite_builder import Layers


def unary(kind: str, lowest: float = 0.003, highest: float = 0.5) -> Build:
    """All codes, one after the other, and whatever the edge inputs are."""

    def build(net: Layers) -> tuple[int, int]:
        x = net.activation(
            [1, size(net, 1, 3), 256], float(np.exp(net.random.uniform(np.log(lowest), np.log(highest))))
        )
        scale = net.scale_of(x) if pick(net, True, False, False) else float(net.random.uniform(0.01, 0.3))
        output = net.activation(net.shape(x), scale, name="y")
        options: dict[str, float | bool] = {}
        if kind == "LEAKY_RELU":
            options = {"alpha": float(net.random.uniform(-0.5, 1.5))}
        if kind == "GELU":
            options = {"approximate": bool(pick(net, True, False))}
        return x, net.operator(kind, [x], output, **options)

    return build


def root(kind: str) -> Build:
    """Of values that are never negative: the interpreter stops at others."""

    def build(net: Layers) -> tuple[int, int]:
        x = net.activation([1, size(net, 1, 300)], float(net.random.uniform(0.003, 0.5)), -128)
        return x, net.operator(kind, [x], net.activation(net.shape(x), float(net.random.uniform(0.01, 0.3)), name="y"))

    return build


def constant(net: Layers, x: int, name: str = "constant") -> int:
    """For each channel, or for each element."""
    shape = pick(net, [net.shape(x)[3]], [1, 1, net.shape(x)[3]], list(net.shape(x)), [1])
    values = net.random.integers(-128, 128, size=shape)
    return net.tensor(name, shape, "int8", float(net.random.uniform(0.01, 0.1)), size(net, -128, 127), 0, values)


def pair(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        x = image(net)
        other = constant(net, x) if pick(net, True, False) else net.conv(x, net.shape(x)[3], (1, 1))
        operands = [x, other] if pick(net, True, False) else [other, x]
        made = np.broadcast_shapes(net.shape(x), net.shape(other))
        scale = net.scale_of(x) * float(net.random.uniform(0.2, 4))
        return x, net.operator(kind, operands, net.activation(made, scale, name="y"))

    return build


def prelu(net: Layers) -> tuple[int, int]:
    x = image(net)
    shape = pick(net, [net.shape(x)[3]], [1, 1, net.shape(x)[3]], list(net.shape(x)[1:]), [1, 1, 1])
    values = net.random.integers(-128, 128, size=shape)
    alpha = net.tensor("alpha", shape, "int8", float(net.random.uniform(0.001, 0.02)), size(net, -128, 127), 0, values)
    scale = net.scale_of(x) * float(net.random.uniform(0.3, 3))
    return x, net.operator("PRELU", [x, alpha], net.activation(net.shape(x), scale, name="y"))


ELEMENTWISE: dict[str, tuple[Build, int]] = {
    "leaky_relu": (unary("LEAKY_RELU"), 2),
    "hard_swish": (unary("HARD_SWISH"), 2),
    "tanh": (unary("TANH"), 2),
    "gelu": (unary("GELU"), 2),
    "exp": (unary("EXP", 0.001, 0.03), 2),
    "log": (unary("LOG"), 2),
    "abs": (unary("ABS"), 2),
    "neg": (unary("NEG"), 1),
    "relu_0_to_1": (unary("RELU_0_TO_1"), 2),
    "sqrt": (root("SQRT"), 2),
    "rsqrt": (root("RSQRT"), 2),
    "prelu": (prelu, 3),
    "maximum": (pair("MAXIMUM"), 3),
    "minimum": (pair("MINIMUM"), 2),
    "squared_difference": (pair("SQUARED_DIFFERENCE"), 4),
}
