# SPDX-License-Identifier: Apache-2.0
"""Small networks for the tests, and look-alikes of MLPerf Tiny's."""

from __future__ import annotations

import numpy as np

from tests.firmware_gen import wide_cases
from tests.firmware_gen.tflite_builder import Layers, activation_code, pack, window_options
from tests.firmware_gen.unsigned_cases import as_unsigned


def tiny_resnet(seed: int = 0, size: int = 8, channels: int = 4) -> bytes:
    """Stem, a residual block, pool, reshape, dense, softmax."""
    net = Layers(seed)
    x = net.activation([1, size, size, 3], 1 / 64, 0)
    y = net.residual(net.conv(x, channels, activation="RELU"), "RELU")
    y = net.pool("AVERAGE_POOL_2D", y, (size, size), (1, 1), "VALID", "NONE")
    return net.build(x, net.softmax(net.dense(net.reshape(y, [1, channels]), 5)))


def tiny_keywords(seed: int = 11) -> bytes:
    """49 rows of 10 MFCC to 12 words: a strided convolution, depthwise, pool, dense, softmax."""
    net = Layers(seed)
    x = net.activation([1, 49, 10, 1], 0.5847029089927673, 83)
    y = net.conv(x, 4, (10, 4), stride=(2, 2), activation="RELU")
    y = net.depthwise(y, activation="RELU")
    y = net.pool("AVERAGE_POOL_2D", y, (25, 5), (1, 1), "VALID", "NONE")
    return net.build(x, net.softmax(net.dense(net.reshape(y, [1, 4]), 12)))


def tiny_mobile(seed: int = 1) -> bytes:
    """PAD, strided conv, depthwise, pointwise, MEAN, LOGISTIC."""
    net = Layers(seed)
    x = net.activation([1, 9, 9, 2])
    y = net.conv(net.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), 6, stride=(2, 2), padding="VALID", activation="RELU6")
    y = net.conv(net.depthwise(y, 2, activation="RELU6"), 5, (1, 1))
    mean = net.activation([1, 5], net.scale_of(y), net.zero_point_of(y), "mean")
    y = net.operator("MEAN", [y, net.constant("axes", [1, 2])], mean, keepDims=False)
    return net.build(x, net.operator("LOGISTIC", [y], net.activation([1, 5], 1 / 256, -128, "y")))


def tiny_mix(seed: int = 2) -> bytes:
    """Every remaining operator: float ends, concatenation, transpose, MUL, SUB, max pool, RELU."""
    net = Layers(seed)
    x = net.tensor("x", [1, 4, 4, 3], "float32")
    y = net.operator("QUANTIZE", [x], net.activation([1, 4, 4, 3], name="quantised"))
    y = net.pool("MAX_POOL_2D", y, (2, 2), (1, 1), "SAME", "NONE")
    other = net.conv(y, 2, (1, 1), output=net.activation([1, 4, 4, 2], net.scale_of(y), net.zero_point_of(y), "other"))
    joined = net.same("CONCATENATION", y, [1, 4, 4, 5], [other], axis=3)
    turned = net.same("TRANSPOSE", joined, [1, 5, 4, 4], [net.constant("order", [0, 3, 1, 2])])
    product = net.elementwise("MUL", turned, turned)
    difference = net.elementwise("SUB", product, turned)
    clipped = net.operator("RELU6", [difference], net.activation(net.shape(difference), 6 / 255, -128, "clipped"))
    return net.build(x, net.operator("DEQUANTIZE", [clipped], net.tensor("y", net.shape(clipped), "float32")))


def tiny_moves(seed: int = 6) -> bytes:
    """Slices, splits, gathers, resizing, blocks: what only moves values."""
    net = Layers(seed)
    x = net.activation([1, 6, 4, 3])
    corners = [net.constant(name, v) for name, v in (("b", [0, 0, 0, 0]), ("e", [1, 6, 4, 2]), ("s", [1, 2, -1, 1]))]
    y = net.same("STRIDED_SLICE", x, [1, 3, 4, 2], corners, beginMask=4, endMask=5)
    halves = [net.activation([1, 3, 2, 2], net.scale_of(x), net.zero_point_of(x), f"half_{n}") for n in range(2)]
    net.operator("SPLIT", [net.constant("axis", 2), y], halves, numSplits=2)
    y = net.same("RESIZE_NEAREST_NEIGHBOR", halves[1], [1, 4, 4, 2], [net.constant("size", [4, 4])])
    y = net.same("SPACE_TO_DEPTH", y, [1, 2, 2, 8], blockSize=2)
    y = net.same("MIRROR_PAD", y, [1, 3, 4, 8], [net.constant("paddings", [[0, 0], [1, 0], [1, 1], [0, 0]])])
    y = net.same("GATHER", y, [1, 3, 2, 8], [net.constant("indexes", [3, 0])], axis=2)
    y = net.same("RESIZE_BILINEAR", y, [1, 4, 4, 8], [net.constant("bigger", [4, 4])], halfPixelCenters=True)
    blocks = net.constant("blocks", [2, 2])
    y = net.same("SPACE_TO_BATCH_ND", y, [4, 2, 3, 8], [blocks, net.constant("amounts", [[0, 0], [1, 1]])])
    y = net.same("BATCH_TO_SPACE_ND", y, [1, 3, 6, 8], [blocks, net.constant("crops", [[0, 1], [0, 0]])])
    rows = [net.activation([1, 6, 8], net.scale_of(x), net.zero_point_of(x), f"row_{n}") for n in range(3)]
    net.operator("UNPACK", [y], rows, axis=1, num=3)
    y = net.same("PACK", rows[2], [1, 6, 2, 8], rows[:1], axis=2, valuesCount=2)
    ends = [net.constant("from", [0, 2, 1, 0]), net.constant("sizes", [-1, -1, 1, 8])]
    return net.build(x, net.same("SLICE", y, [1, 4, 1, 8], ends))


def tiny_functions(seed: int = 7) -> bytes:
    """Functions of one code, and of two."""
    net = Layers(seed)
    x = y = net.activation([1, 4, 4, 3])
    for kind, options in (("HARD_SWISH", {}), ("LEAKY_RELU", {"alpha": 0.1}), ("TANH", {}), ("GELU", {}), ("ABS", {})):
        y = net.operator(kind, [y], net.activation([1, 4, 4, 3], 0.02, name=net.name(kind)), **options)
    alpha = net.tensor("alpha", [3], "int8", 0.01, 4, 0, net.random.integers(-128, 128, size=3))
    y = net.operator("PRELU", [y, alpha], net.activation([1, 4, 4, 3], 0.02, name="prelu"))
    y = net.operator("MAXIMUM", [y, x], net.activation([1, 4, 4, 3], 0.02, name="maximum"))
    y = net.operator("SQUARED_DIFFERENCE", [y, x], net.activation([1, 4, 4, 3], 0.05, name="squares"))
    return net.build(x, net.operator("EXP", [y], net.activation([1, 4, 4, 3], 2.0, name="y")))


def tiny_products(seed: int = 8) -> bytes:
    """TRANSPOSE_CONV, BATCH_MATMUL, reductions."""
    net = Layers(seed)
    x = net.activation([1, 3, 3, 2])
    weights = net.weights([4, 3, 3, 2], 0)
    window = {"padding": 0, "strideH": 2, "strideW": 2}
    shape = net.constant("shape", [1, 6, 6, 4])
    y = net.operator("TRANSPOSE_CONV", [shape, weights, x], net.output_of([1, 6, 6, 4], 18, x, weights), **window)
    output = net.activation([1, 6, 6, 6], net.scale_of(y) ** 2 * 60, name="product")
    y = net.operator("BATCH_MATMUL", [y, y], output, adjX=False, adjY=True)
    y = net.same("REDUCE_MAX", y, [1, 6, 6], [net.constant("axes", [-1])], keepDims=False)
    return net.build(x, net.operator("L2_NORMALIZATION", [y], net.activation([1, 6, 6], 1 / 128, 0, "y")))


def tiny_ends(seed: int = 9) -> bytes:
    """Two inputs, three outputs of two types, one of them read on and one of them twice."""
    net = Layers(seed)
    first, second = net.activation([1, 4, 4, 3], name="image"), net.activation([1, 12], name="context")
    y = net.conv(first, 3)
    gate = net.dense(second, 3, "RELU")
    real = net.operator("DEQUANTIZE", [gate], net.tensor("gate", net.shape(gate), "float32"))
    z = net.elementwise("MUL", y, gate)
    return pack(net.model([first, second], [z, real, y, z]))


def tiny_state(seed: int = 10) -> bytes:
    """Two windows that slide over what comes in; one begins with zeros, the other with anything."""
    net = Layers(seed)
    x = net.activation([1, 1, 6], 0.05, 3, "x")
    handles = [net.variable("window"), net.variable("other")]
    windows = [net.activation([1, 3, 6], 0.05, 3, f"read_{n}") for n in range(2)]
    for handle, window in zip(handles, windows, strict=True):
        net.operator("READ_VARIABLE", [handle], window)
    wide = net.same("CONCATENATION", windows[0], [1, 4, 6], [x], axis=1)
    corners = [net.constant(name, v) for name, v in (("b", [0, 1, 0]), ("e", [1, 4, 6]), ("s", [1, 1, 1]))]
    net.operator("ASSIGN_VARIABLE", [handles[0], net.same("STRIDED_SLICE", wide, [1, 3, 6], corners)], [])
    output = net.activation([1, 3, 6], 0.05, 3, "other_next")
    half = net.elementwise("ADD", windows[1], windows[0], output=output)
    net.operator("ASSIGN_VARIABLE", [handles[1], half], [])
    again = net.operator("READ_VARIABLE", [handles[1]], net.activation([1, 3, 6], 0.05, 3, "read_again"))
    y = net.elementwise("MUL", again, windows[0])
    initial = {"window": np.full((1, 3, 6), 3), "other": net.random.integers(-128, 128, (1, 3, 6))}
    return pack(net.stateful([x], [net.dense(net.reshape(y, [1, 18]), 5)], initial))


def tiny_recurrent(seed: int = 11) -> bytes:
    """An LSTM, and an SVDF of its last step."""
    net = Layers(seed)
    x = net.activation([1, 3, 4], 0.03)
    weights = [net.weights([5, width], 0, per_channel=False) for width in (4,) * 4 + (5,) * 4]
    states = [net.state("h", [1, 5], "int8", 0.008, -3), net.state("c", [1, 5], "int16", 2.0**-12)]
    y = net.tensor("lstm", [1, 3, 5], "int8", 0.008, -3)
    inputs = [x, *weights, -1, -1, -1, *(net.bias(5) for _ in range(4)), -1, -1, *states, -1, -1, -1, -1]
    net.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, y, fusedActivationFunction=activation_code("TANH"))
    within = [net.tensor(f"gate_{n}", [0], "float32") for n in range(4)]
    net.operators[-1].intermediates = [*within, net.tensor("hidden", [0], "int8", 0.008, -3)]
    corners = [net.constant(name, v) for name, v in (("b", [0, 2, 0]), ("e", [1, 3, 5]), ("s", [1, 1, 1]))]
    y = net.same("STRIDED_SLICE", y, [1, 5], corners, shrinkAxisMask=2)
    times = net.tensor("times", [6, 4], "int16", 2e-5, 0, 0, net.random.integers(-32767, 32768, size=(6, 4)))
    state = net.state("memory", [1, 24], "int16", 5e-4)
    features = net.weights([6, 5], 0, per_channel=False)
    output = net.tensor("y", [1, 3], "int8", 0.1, 4)
    inputs = [y, features, times, net.bias(3), state]
    net.operator("SVDF", inputs, output, rank=2, fusedActivationFunction=activation_code("RELU"))
    return net.build(x, output)


def tiny_logic(seed: int = 13) -> bytes:
    """Comparisons, choices, the place of an extreme, changes of type."""
    net = Layers(seed)
    x = net.activation([1, 4, 4, 3], 0.05, 3)
    low = net.tensor("low", [3], "int8", 0.04, 5, 0, net.random.integers(-128, 128, size=3))
    flags = [net.tensor(f"flags_{n}", [1, 4, 4, 3], "bool") for n in range(4)]
    net.operator("LESS", [x, low], flags[0])
    net.operator("GREATER_EQUAL", [low, x], flags[1])
    net.operator("LOGICAL_OR", flags[:2], flags[2])
    net.operator("LOGICAL_NOT", [flags[2]], flags[3])
    y = net.operator("SELECT_V2", [flags[0], x, low], net.activation([1, 4, 4, 3], 0.05, 3, "chosen"))
    y = net.operator("SELECT", [flags[3], x, y], net.activation([1, 4, 4, 3], 0.05, 3, "again"))
    divisor = net.tensor("divisor", [1], "int8", 1.0, 0, 0, np.array([3]))
    y = net.operator("FLOOR_DIV", [y, divisor], net.activation([1, 4, 4, 3], 0.05, 3, "third"))
    places = net.tensor("places", [1, 4, 4], "int64")
    net.operator("ARG_MAX", [y, net.constant("axis", 3)], places, outputType=4)
    return net.build(x, net.operator("CAST", [places], net.tensor("y", [1, 4, 4], "float32")))


def tiny_wide(seed: int = 14) -> bytes:
    """Activations of 16 bits: convolutions, a pool, a sum, LOGISTIC, MUL, dense, softmax."""
    net = Layers(seed)
    wide = wide_cases.wide
    x = wide(net, [1, 6, 6, 3], 1e-4)
    same = window_options((1, 1), (1, 1), "SAME", "RELU")
    weights = net.weights([4, 3, 3, 3], 0)
    y = wide(net, [1, 6, 6, 4], 2e-4, "first")
    net.operator("CONV_2D", [x, weights, wide_cases.bias(net, x, weights, 4)], y, **same)
    weights = net.weights([1, 3, 3, 4], 3)
    z = wide(net, [1, 6, 6, 4], 2e-4, "second")
    net.operator("DEPTHWISE_CONV_2D", [y, weights], z, depthMultiplier=1, **same)
    y = net.operator("ADD", [y, z], wide(net, [1, 6, 6, 4], 3e-4, "sum"))
    gate = net.operator("LOGISTIC", [z], wide(net, [1, 6, 6, 4], 1 / 32768, "gate"))
    y = net.operator("MUL", [y, gate], wide(net, [1, 6, 6, 4], 2e-4, "product"))
    y = net.operator("MEAN", [y, net.constant("axes", [1, 2])], wide(net, [1, 4], 1e-4, "mean"), keepDims=False)
    weights = net.weights([5, 4], 0, per_channel=False)
    y = net.operator("FULLY_CONNECTED", [y, weights], wide(net, [1, 5], 1e-5, "dense"))
    return net.build(x, net.operator("SOFTMAX", [y], wide(net, [1, 5], 1 / 32768, "y"), beta=1.0))


def tiny_unsigned(seed: int = 12) -> bytes:
    """Activations of uint8: convolutions, a pool, a sum, dense, softmax."""
    net = Layers(seed)
    x = net.activation([1, 6, 6, 3], 1 / 64, 0)
    y = net.residual(net.conv(x, 4, activation="RELU"))
    y = net.pool("AVERAGE_POOL_2D", net.depthwise(y), (4, 4), (2, 2), "VALID", "NONE")
    return as_unsigned(net, x, net.softmax(net.dense(net.reshape(y, [1, 16]), 5)))


def identity_chain(blocks: int = 3, seed: int = 3) -> tuple[bytes, tuple[str, ...]]:
    """Residual blocks on int8[1,32,32,16] from input to output, and the names of the boundaries between them."""
    net = Layers(seed)
    x = y = net.activation([1, 32, 32, 16], 0.05, 0)
    names = []
    for _ in range(blocks):
        y = net.residual(y)
        names.append(net.tensors[y].name)
    return net.build(x, y), tuple(names[:-1])


def vww_look_alike(seed: int = 4) -> bytes:
    """MobileNetV1 0.25 on int8[1,96,96,3]: 13 depthwise-separable layers, two classes; the shapes of MLPerf Tiny's
    VWW.
    """
    net = Layers(seed)
    x = net.activation([1, 96, 96, 3], 1 / 128, 0)
    y = net.conv(x, 8, stride=(2, 2), activation="RELU6")
    plan = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)]
    for channels, stride in plan:
        y = net.depthwise(y, stride=(stride, stride), activation="RELU6")
        y = net.conv(y, channels, (1, 1), activation="RELU6")
    y = net.pool("AVERAGE_POOL_2D", y, (3, 3), (3, 3), "VALID", "NONE")
    return net.build(x, net.softmax(net.dense(net.reshape(y, [1, 256]), 2)))


def autoencoder_look_alike(seed: int = 5) -> bytes:
    """Ten FULLY_CONNECTED layers, 640 - 128x4 - 8 - 128x4 - 640; the shapes of MLPerf Tiny's anomaly detector."""
    net = Layers(seed)
    x = y = net.activation([1, 640], 0.4, 90)
    for width in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        y = net.dense(y, width, "RELU")
    return net.build(x, net.dense(y, 640))
