# SPDX-License-Identifier: Apache-2.0
"""Reductions and products of matrices, with random shapes and parameters."""

from __future__ import annotations

from tests.firmware_gen.move_cases import Build, image, pick, size
from tests.firmware_gen.tflite_builder import Layers, activation_code, convolved, padding_code


def reduction(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        x = image(net, 2)
        axes = pick(net, [1, 2], [2, 1], [-3, -2], [3], [1], [2], [1, 2, 3], [2, 3], [1, 3])
        keep = bool(pick(net, True, False))
        shape = net.shape(x)
        reduced = {axis % 4 for axis in axes}
        kept = [1 if axis in reduced else n for axis, n in enumerate(shape) if keep or axis not in reduced]
        return x, net.same(kind, x, kept, [net.constant("axes", axes)], keepDims=keep)

    return build


def l2_normalization(net: Layers) -> tuple[int, int]:
    x = net.activation([1, size(net, 1, 4), size(net, 1, 200)])
    return x, net.operator("L2_NORMALIZATION", [x], net.activation(net.shape(x), 1 / 128, 0, "y"))


def batch_matmul(net: Layers) -> tuple[int, int]:
    rows, depth, columns = (size(net, 1, 7) for _ in range(3))
    batches = [[1], [1, size(net, 1, 3)], [1, size(net, 1, 3), size(net, 1, 3)]][size(net, 0, 2)]
    sides = [[1 if pick(net, True, False, False) else n for n in batches] for _ in range(2)]
    if [max(pair) for pair in zip(*sides, strict=True)] != batches:
        sides[0] = batches
    turned = [bool(pick(net, True, False)), bool(pick(net, True, False))]
    shapes = [[rows, depth], [depth, columns]]
    full = [[*side, *(shape[::-1] if turn else shape)] for side, shape, turn in zip(sides, shapes, turned, strict=True)]
    # One input: the other operand is a constant, or made of the same values.
    x = net.activation(full[0])
    values = net.random.integers(-128, 128, size=full[1])
    other = net.tensor("other", full[1], "int8", float(net.random.uniform(0.01, 0.1)), size(net, -128, 127), 0, values)
    operands, flags = [x, other], turned
    if full[0] == full[1] and turned[0] != turned[1]:
        operands = [x, x]
    scale = net.scale_of(x) * net.scale_of(operands[1]) * float(net.random.uniform(20, 200))
    output = net.activation([*batches, rows, columns], scale, name="y")
    return x, net.operator("BATCH_MATMUL", operands, output, adjX=flags[0], adjY=flags[1])


def self_attention(net: Layers) -> tuple[int, int]:
    """Both operands are activations: x times its own transpose."""
    x = net.activation([1, size(net, 1, 3), size(net, 1, 6), size(net, 1, 6)])
    _, heads, rows, _ = net.shape(x)
    output = net.activation([1, heads, rows, rows], net.scale_of(x) ** 2 * 100, name="y")
    return x, net.operator("BATCH_MATMUL", [x, x], output, adjX=False, adjY=True)


Move = tuple[int, ...] | list[int]


def moved(net: Layers, x: int, *moves: Move) -> int:
    """Transposed by tuples, reshaped by lists."""
    for move in moves:
        if isinstance(move, list):
            x = net.reshape(x, move)
        else:
            order = net.constant(net.name("order"), list(move))
            x = net.same("TRANSPOSE", x, [net.shape(x)[axis] for axis in move], [order])
    return x


def attention(net: Layers) -> tuple[int, int]:
    """Between positions of an image, all or those of a window, with what converters move before and behind."""
    heads, depth = size(net, 1, 3), size(net, 1, 20)
    side, down, across = size(net, 1, 3), size(net, 1, 2), size(net, 1, 3)
    height, width, channels = down * side, across * side, heads * depth
    x = net.activation([1, height, width, channels])
    cut: list[Move]
    last: list[Move]
    windows = bool(pick(net, True, False))
    if windows:
        groups, positions = down * across, side * side
        cut = [[down, side, across, side * channels], (0, 2, 1, 3), [groups, positions, heads, depth]]
        query, value = moved(net, x, *cut, (0, 2, 1, 3)), moved(net, x, *cut, (0, 2, 1, 3))
        key = moved(net, x, *cut, (0, 2, 3, 1))
        last = [(0, 2, 1, 3), [down, across, side, side * channels], (0, 2, 1, 3), [1, height, width, channels]]
    else:
        groups, positions = 1, height * width
        cut = [(0, 3, 1, 2), [1, heads, depth, positions]]
        query, key, value = (moved(net, x, *cut) for _ in range(3))
        last = [[1, channels, height, width], (0, 2, 3, 1)]
    scores = net.activation([groups, heads, positions, positions], net.scale_of(x) ** 2 * 60, name="scores")
    net.operator("BATCH_MATMUL", [query, key], scores, adjX=not windows, adjY=False)
    shares = net.softmax(scores)
    made = [groups, heads, *((positions, depth) if windows else (depth, positions))]
    mixed = net.activation(made, net.scale_of(x), name="mixed")
    operands = [shares, value] if windows else [value, shares]
    net.operator("BATCH_MATMUL", operands, mixed, adjX=False, adjY=not windows)
    return x, moved(net, mixed, *last)


def transpose_conv(net: Layers) -> tuple[int, int]:
    x = net.activation([1, size(net, 1, 6), size(net, 1, 6), size(net, 1, 9)])
    _, height, width, depth = net.shape(x)
    kernel, stride = (size(net, 1, 4), size(net, 1, 4)), (size(net, 1, 3), size(net, 1, 3))
    padding, channels = str(pick(net, "SAME", "VALID")), size(net, 1, 7)
    if padding == "SAME":
        made = [n * s - size(net, 0, s - 1) for n, s in zip((height, width), stride, strict=True)]
        assert [convolved(n, 1, s, 1, "SAME") for n, s in zip(made, stride, strict=True)] == [height, width]
    else:
        made = [(n - 1) * s + k for n, s, k in zip((height, width), stride, kernel, strict=True)]
    weights = net.weights([channels, *kernel, depth], 0, per_channel=bool(pick(net, True, False)))
    shape = [1, *made, channels]
    output = net.output_of(shape, kernel[0] * kernel[1] * depth, x, weights)
    bias = [net.bias(channels)] if pick(net, True, False) else []
    activation = activation_code(str(pick(net, "NONE", "RELU")))
    return x, net.operator(
        "TRANSPOSE_CONV",
        [net.constant("shape", shape), weights, x, *bias],
        output,
        padding=padding_code(padding),
        strideH=stride[0],
        strideW=stride[1],
        fusedActivationFunction=activation,
    )


REDUCTIONS: dict[str, tuple[Build, int]] = {
    "reduce_max": (reduction("REDUCE_MAX"), 3),
    "reduce_min": (reduction("REDUCE_MIN"), 2),
    "l2_normalization": (l2_normalization, 3),
    "batch_matmul": (batch_matmul, 1),
    "self_attention": (self_attention, 1),
    "attention": (attention, 4),
    "transpose_conv": (transpose_conv, 5),
}
