# SPDX-License-Identifier: Apache-2.0
"""Operators on activations of 16 bits, with random shapes and parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.firmware_gen.move_cases import Build, pick, size
from tests.firmware_gen.tflite_builder import Layers, activation_code, convolved, padding_code, window_options

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


def wide(net: Layers, shape: Sequence[int], scale: float | None = None, name: str = "x") -> int:
    """An activation of 16 bits."""
    chosen = float(np.exp(net.random.uniform(np.log(1e-5), np.log(1e-3)))) if scale is None else scale
    return net.tensor(name, shape, "int16", chosen, 0)


def image(net: Layers, smallest: int = 1) -> int:
    return wide(net, [1, size(net, smallest, 9), size(net, smallest, 9), size(net, 1, 9)])


def bias(net: Layers, x: int, weights: int, channels: int) -> int:
    values = net.random.integers(-(10**7), 10**7, size=channels)
    scales = [net.scale_of(x) * float(scale) for scale in net.tensors[weights].quantization.scale]
    return net.tensor(net.name("bias"), [channels], "int64", scales, 0, 0, values)


def weights_of(net: Layers, shape: Sequence[int], axis: int) -> int:
    return net.weights(shape, axis, per_channel=bool(pick(net, True, False)))


def output_of(net: Layers, shape: Sequence[int], fan_in: int, x: int, weights: int) -> int:
    mean = float(np.mean(net.tensors[weights].quantization.scale))
    return wide(net, shape, mean * 73 * net.scale_of(x) * fan_in**0.5 * float(net.random.uniform(0.3, 3)), "y")


def conv(net: Layers) -> tuple[int, int]:
    x = image(net, 7)
    kernel, stride = (size(net, 1, 4), size(net, 1, 4)), (size(net, 1, 3), size(net, 1, 3))
    dilation, padding = (size(net, 1, 2), size(net, 1, 2)), str(pick(net, "SAME", "VALID"))
    depth, channels = net.shape(x)[3], size(net, 1, 9)
    made = [
        convolved(n, k, s, d, padding) for n, k, s, d in zip(net.shape(x)[1:3], kernel, stride, dilation, strict=True)
    ]
    weights = weights_of(net, [channels, *kernel, depth], 0)
    inputs = [x, weights, bias(net, x, weights, channels)]
    output = output_of(net, [1, *made, channels], kernel[0] * kernel[1] * depth, x, weights)
    options = window_options(stride, dilation, padding, str(pick(net, *ACTIVATIONS)))
    return x, net.operator("CONV_2D", inputs, output, **options)


def depthwise(net: Layers) -> tuple[int, int]:
    x = image(net, 7)
    kernel, stride = (size(net, 1, 4), size(net, 1, 4)), (size(net, 1, 2),) * 2
    multiplier, padding = size(net, 1, 3), str(pick(net, "SAME", "VALID"))
    channels = net.shape(x)[3] * multiplier
    made = [convolved(n, k, s, 1, padding) for n, k, s in zip(net.shape(x)[1:3], kernel, stride, strict=True)]
    weights = net.weights([1, *kernel, channels], 3)
    inputs = [x, weights, *([bias(net, x, weights, channels)] if pick(net, True, False) else [])]
    output = output_of(net, [1, *made, channels], kernel[0] * kernel[1], x, weights)
    options = window_options(stride, (1, 1), padding, str(pick(net, *ACTIVATIONS)))
    return x, net.operator("DEPTHWISE_CONV_2D", inputs, output, depthMultiplier=multiplier, **options)


def dense(net: Layers) -> tuple[int, int]:
    rows, depth, channels = size(net, 1, 3), size(net, 1, 60), size(net, 1, 12)
    x = wide(net, [rows, depth] if rows == 1 else [1, rows, depth])
    weights = net.weights([channels, depth], 0, per_channel=False)
    inputs = [x, weights, *([bias(net, x, weights, channels)] if pick(net, True, False) else [])]
    output = output_of(net, [rows, channels], depth, x, weights)
    activation = activation_code(str(pick(net, *ACTIVATIONS)))
    return x, net.operator("FULLY_CONNECTED", inputs, output, fusedActivationFunction=activation)


def pair(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        x = image(net)
        shape = pick(net, [net.shape(x)[3]], [1, net.shape(x)[1], 1, 1], list(net.shape(x)), [1])
        values = net.random.integers(-(2**15), 2**15, size=shape)
        other = net.tensor("other", shape, "int16", float(net.random.uniform(1e-5, 1e-3)), 0, 0, values)
        if shape == list(net.shape(x)) and pick(net, True, False):
            other = net.operator("RELU", [x], wide(net, shape, name="other"))
        operands = [x, other] if pick(net, True, False) else [other, x]
        scale = net.scale_of(x) * (net.scale_of(other) * 20000 if kind == "MUL" else 1)
        output = wide(net, net.shape(x), scale * float(net.random.uniform(0.5, 3)), "y")
        options = {"fusedActivationFunction": activation_code(str(pick(net, *ACTIVATIONS)))}
        if kind != "MUL":
            options["potScaleInt16"] = bool(pick(net, True, False))
        return x, net.operator(kind, operands, output, **options)

    return build


def pool(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        x = image(net, 4)
        window, stride = (size(net, 1, 4), size(net, 1, 4)), (size(net, 1, 3), size(net, 1, 3))
        padding = str(pick(net, "SAME", "VALID"))
        made = [convolved(n, k, s, 1, padding) for n, k, s in zip(net.shape(x)[1:3], window, stride, strict=True)]
        output = wide(net, [1, *made, net.shape(x)[3]], net.scale_of(x), "y")
        return x, net.operator(
            kind,
            [x],
            output,
            filterHeight=window[0],
            filterWidth=window[1],
            strideH=stride[0],
            strideW=stride[1],
            padding=padding_code(padding),
            fusedActivationFunction=activation_code(str(pick(net, *ACTIVATIONS))),
        )

    return build


def mean(net: Layers) -> tuple[int, int]:
    x = image(net, 2)
    axes = pick(net, [1, 2], [3], [1], [2], [1, 2, 3])
    keep = bool(pick(net, True, False))
    kept = [1 if axis in axes else n for axis, n in enumerate(net.shape(x)) if keep or axis not in axes]
    output = wide(net, kept, net.scale_of(x) * float(net.random.uniform(0.2, 1.5)), "mean")
    return x, net.operator("MEAN", [x, net.constant("axes", axes)], output, keepDims=keep)


def sigmoid(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        scale = pick(net, 2.0**-12, 2.0**-11, float(np.exp(net.random.uniform(np.log(1e-5), np.log(1)))))
        x = wide(net, [1, size(net, 1, 300)], scale)
        return x, net.operator(kind, [x], wide(net, net.shape(x), 1 / 32768, "y"))

    return build


def softmax(net: Layers) -> tuple[int, int]:
    x = wide(net, [1, size(net, 1, 5), size(net, 2, 30)], float(np.exp(net.random.uniform(np.log(1e-5), np.log(0.1)))))
    output = wide(net, net.shape(x), 1 / 32768, "probabilities")
    return x, net.operator("SOFTMAX", [x], output, beta=float(pick(net, 1.0, 0.5, 2.0)))


def requantize(net: Layers) -> tuple[int, int]:
    """To 8 bits and back, and from one scale to another."""
    x = image(net)
    scale = net.scale_of(x) * 256 * float(net.random.uniform(0.2, 2))
    y = net.operator("QUANTIZE", [x], net.activation(net.shape(x), scale, name="narrow"))
    y = net.operator("QUANTIZE", [y], wide(net, net.shape(x), scale / 200, "wide"))
    if pick(net, True, False):
        y = net.operator(pick(net, "RELU", "RELU6"), [y], wide(net, net.shape(x), name="clamped"))
    return x, net.operator("QUANTIZE", [y], wide(net, net.shape(x), scale / float(net.random.uniform(100, 400)), "y"))


def float_ends(net: Layers) -> tuple[int, int]:
    x = net.tensor("x", [1, 4, 4, 3], "float32")
    y = net.operator("QUANTIZE", [x], wide(net, [1, 4, 4, 3], 1e-3, "quantised"))
    return x, net.operator("DEQUANTIZE", [y], net.tensor("y", [1, 4, 4, 3], "float32"))


def moves(net: Layers) -> tuple[int, int]:
    """What only moves pairs of bytes."""
    x = wide(net, [1, 4, 6, 2])
    scale = net.scale_of(x)
    amounts = [(0, 0), *((size(net, 0, 2), size(net, 0, 2)) for _ in range(2)), pick(net, (0, 0), (1, 1), (2, 0))]
    shape = [n + a + b for n, (a, b) in zip(net.shape(x), amounts, strict=True)]
    y = net.operator("PAD", [x, net.constant("paddings", amounts)], wide(net, shape, scale, "padded"))
    order = net.random.permutation(4)
    shape = [shape[axis] for axis in order]
    y = net.operator("TRANSPOSE", [y, net.constant("order", order)], wide(net, shape, scale, "turned"))
    flat = [1, int(np.prod(shape)) // 2, 2]
    y = net.operator("RESHAPE", [y, net.constant("flat", flat)], wide(net, flat, scale, "flat"))
    corners = [net.constant(name, v) for name, v in (("b", [0, flat[1] - 1, 0]), ("e", [1, 1, 2]), ("s", [1, -2, 1]))]
    made = [1, len(range(flat[1] - 1, 1, -2)), 2]
    y = net.operator("STRIDED_SLICE", [y, *corners], wide(net, made, scale, "slice"))
    values = net.random.integers(-(2**15), 2**15, size=(1, 3, 2))
    fixed = net.tensor("fixed", [1, 3, 2], "int16", scale, 0, 0, values)
    output = wide(net, [1, 2 * made[1] + 3, 2], scale, "y")
    return x, net.operator("CONCATENATION", [y, fixed, y], output, axis=1)


WIDE: dict[str, tuple[Build, int]] = {
    "wide_conv": (conv, 0),
    "wide_depthwise": (depthwise, 0),
    "wide_dense": (dense, 0),
    "wide_add": (pair("ADD"), 0),
    "wide_sub": (pair("SUB"), 0),
    "wide_mul": (pair("MUL"), 0),
    "wide_average_pool": (pool("AVERAGE_POOL_2D"), 1),
    "wide_max_pool": (pool("MAX_POOL_2D"), 1),
    "wide_mean": (mean, 0),
    "wide_logistic": (sigmoid("LOGISTIC"), 0),
    "wide_tanh": (sigmoid("TANH"), 1),
    "wide_softmax": (softmax, 0),
    "wide_requantize": (requantize, 1),
    "wide_float_ends": (float_ends, 0),
    "wide_moves": (moves, 1),
}
"""With 0 by default where `tiny_wide` has them."""
