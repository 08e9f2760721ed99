# SPDX-License-Identifier: Apache-2.0
"""Float32 operators between a DEQUANTIZE and a QUANTIZE, each element a function of one code."""

from __future__ import annotations

import numpy as np

from tests.firmware_gen.move_cases import Build, image, pick, size
from tests.firmware_gen.tflite_builder import Layers

UNARY = (
    *("ABS", "COS", "EXP", "FLOOR", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "NEG", "RELU"),
    *("RELU6", "RELU_N1_TO_1", "SIN", "SQUARE", "TANH"),
)
BINARY = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE")


def real(net: Layers, shape: tuple[int, ...]) -> int:
    return net.tensor(net.name("real"), shape, "float32")


def number(net: Layers, low: float = -3.0, high: float = 3.0) -> int:
    value = np.array(net.random.uniform(low, high), dtype=np.float32)
    return net.tensor(net.name("number"), pick(net, [], [1], [1, 1]), "float32", data=value)


def computed(net: Layers, x: int, kind: str) -> int:
    options = {"alpha": float(net.random.uniform(0, 1))} if kind == "LEAKY_RELU" else {}
    return net.operator(kind, [x], real(net, net.shape(x)), **options)


def combined(net: Layers, x: int, y: int, kind: str) -> int:
    return net.operator(kind, [x, y], real(net, net.shape(x)))


def entered(net: Layers, x: int) -> int:
    """Behind a layer of codes: a file without is one of floats."""
    y = net.conv(x, size(net, 1, 6), (1, 1))
    return net.operator("DEQUANTIZE", [y], real(net, net.shape(y)))


def left(net: Layers, y: int) -> int:
    made = net.activation(net.shape(y), float(net.random.uniform(0.01, 0.1)), name=net.name("codes"))
    return net.operator("QUANTIZE", [y], made)


def bounded(net: Layers, x: int, bound: float) -> int:
    """Between -bound and bound: what no code stands for is refused."""
    for kind, value in (("MINIMUM", bound), ("MAXIMUM", -bound)):
        end = net.tensor(net.name("bound"), [], "float32", data=np.array(value, dtype=np.float32))
        x = combined(net, x, end, kind)
    return x


def chain(net: Layers) -> tuple[int, int]:
    x = image(net)
    y = entered(net, x)
    for _ in range(size(net, 1, 4)):
        other = pick(net, number(net), number(net), y)
        if pick(net, True, False):
            kind = pick(net, *UNARY)
            y = computed(net, bounded(net, y, 10.0) if kind == "EXP" else y, kind)
        else:
            y = combined(net, y, other, pick(net, *BINARY))
    return x, net.conv(left(net, bounded(net, y, 1e6)), 3, (1, 1))


def swish(net: Layers) -> tuple[int, int]:
    """The product with sigmoid(1.702 x), which several exporters leave in float."""
    x = image(net)
    y = entered(net, x)
    slope = net.tensor("slope", [], "float32", data=np.array(1.702, dtype=np.float32))
    return x, left(net, combined(net, y, computed(net, combined(net, y, slope, "MUL"), "LOGISTIC"), "MUL"))


def powers(net: Layers) -> tuple[int, int]:
    x = image(net)
    y = computed(net, entered(net, x), "ABS")
    z = combined(net, y, number(net, 0.3, 2.0), "POW")
    return x, left(net, combined(net, z, number(net, 0.5, 2.0), "DIV"))


def two_ends(net: Layers) -> tuple[int, int]:
    """One chain that is quantised at two places, by two scales."""
    x = image(net)
    y = computed(net, entered(net, x), "TANH")
    first, second = left(net, y), left(net, computed(net, y, "EXP"))
    return x, net.elementwise("ADD", first, second)


def tiny_island(seed: int = 16) -> bytes:
    net = Layers(seed)
    x = net.activation([1, 4, 4, 3])
    y = entered(net, x)
    z = combined(net, y, computed(net, combined(net, y, number(net), "MUL"), "LOGISTIC"), "MUL")
    return net.build(x, net.conv(left(net, z), 2))


ISLANDS: dict[str, tuple[Build, int]] = {
    "float_chain": (chain, 4),
    "float_swish": (swish, 1),
    "float_powers": (powers, 1),
    "float_two_ends": (two_ends, 1),
}
