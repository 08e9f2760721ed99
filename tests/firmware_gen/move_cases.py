# SPDX-License-Identifier: Apache-2.0
"""Operators that only move values, with random shapes and parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.firmware_gen.tflite_builder import Layers

Build = Callable[[Layers], tuple[int, int]]


def pick(net: Layers, *values: Any) -> Any:
    return values[int(net.random.integers(len(values)))]


def size(net: Layers, low: int, high: int) -> int:
    return int(net.random.integers(low, high + 1))


def tensor(net: Layers, rank: int, smallest: int = 1, largest: int = 6) -> int:
    """An input of batch 1, 2 to `rank` dimensions."""
    return net.activation([1, *(size(net, smallest, largest) for _ in range(size(net, 2, rank) - 1))])


def image(net: Layers, smallest: int = 1) -> int:
    return net.activation([1, size(net, smallest, 9), size(net, smallest, 9), size(net, 1, 9)])


def strided_slice(net: Layers) -> tuple[int, int]:
    x = tensor(net, 5)
    shape = net.shape(x)
    index: list[Any] = []
    begins: list[int] = []
    ends: list[int] = []
    steps: list[int] = []
    masks = dict.fromkeys(("begin", "end", "ellipsis", "newAxis", "shrinkAxis"), 0)
    given = size(net, 1, len(shape))
    # An ellipsis for no dimension takes one in TFLite.
    ellipsis = size(net, 0, given - 1) if given < len(shape) and pick(net, True, False) else -1
    axis = 0
    for place in range(given):
        bit = 1 << len(begins)
        if place == ellipsis:
            begins, ends, steps = [*begins, 0], [*ends, 0], [*steps, 1]
            masks["ellipsis"] |= bit
            index.append(Ellipsis)
            axis += len(shape) - given
            bit <<= 1
        n = shape[axis]
        kind = pick(net, "range", "range", "range", "shrink", "new")
        # The stock interpreter takes five dimensions, new ones among them.
        if kind == "new" and len(shape) < 4:
            begins, ends, steps = [*begins, 0], [*ends, 0], [*steps, 1]
            masks["newAxis"] |= bit
            index.append(None)
            bit <<= 1
        begin = size(net, 0, n - 1)
        if kind == "shrink":
            begins, ends, steps = [*begins, pick(net, begin, begin - n)], [*ends, begin + 1], [*steps, 1]
            masks["shrinkAxis"] |= bit
            index.append(begin)
        else:
            step = pick(net, 1, 1, 2, 3, -1, -2)
            end = size(net, begin + 1, n) if step > 0 else size(net, -n - 1, begin - n - 1)
            open_begin, open_end = bool(pick(net, True, False)), bool(pick(net, True, False))
            masks["begin"] |= bit * open_begin
            masks["end"] |= bit * open_end
            begins, ends, steps = [*begins, pick(net, begin, begin - n)], [*ends, end], [*steps, step]
            index.append(slice(None if open_begin else begin, None if open_end else end, step))
        axis += 1
    made = np.zeros(shape)[tuple(index)].shape
    if 0 in made:
        return strided_slice(net)
    parameters = [net.constant(name, values) for name, values in (("b", begins), ("e", ends), ("s", steps))]
    return x, net.same("STRIDED_SLICE", x, made, parameters, **{f"{name}Mask": mask for name, mask in masks.items()})


def slice_(net: Layers) -> tuple[int, int]:
    x = tensor(net, 5)
    begins = [size(net, 0, n - 1) for n in net.shape(x)]
    sizes = [size(net, 1, n - b) for n, b in zip(net.shape(x), begins, strict=True)]
    given = [
        -1 if n == b + s and pick(net, True, False) else s for n, b, s in zip(net.shape(x), begins, sizes, strict=True)
    ]
    return x, net.same("SLICE", x, sizes, [net.constant("begin", begins), net.constant("size", given)])


def joined(net: Layers, x: int, parts: Sequence[int], axis: int) -> tuple[int, int]:
    """All outputs of a split, in another order."""
    order = [parts[int(place)] for place in net.random.permutation(len(parts))]
    shape = list(net.shape(order[0]))
    shape[axis] = sum(net.shape(part)[axis] for part in order)
    return x, net.same("CONCATENATION", order[0], shape, order[1:], axis=axis)


def split(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        x = tensor(net, 4, 2)
        shape = list(net.shape(x))
        axis, count = size(net, 1, len(shape) - 1), size(net, 1, 3)
        sizes = [size(net, 1, 4)] * count if kind == "SPLIT" else [size(net, 1, 4) for _ in range(count)]
        shape[axis] = sum(sizes)
        x = net.activation(shape)
        scale, zero_point = net.scale_of(x), net.zero_point_of(x)
        parts = [
            net.activation([*shape[:axis], part, *shape[axis + 1 :]], scale, zero_point, f"part_{number}")
            for number, part in enumerate(sizes)
        ]
        signed = net.constant("axis", pick(net, axis, axis - len(shape)))
        if kind == "SPLIT":
            net.operator("SPLIT", [signed, x], parts, numSplits=count)
        else:
            given = [*sizes[:-1], pick(net, sizes[-1], -1)]
            net.operator("SPLIT_V", [x, net.constant("sizes", given), signed], parts, numSplits=count)
        return joined(net, x, parts, axis)

    return build


def unpack_and_pack(net: Layers) -> tuple[int, int]:
    x = tensor(net, 4)
    shape = list(net.shape(x))
    axis = size(net, 1, len(shape) - 1)
    left = [*shape[:axis], *shape[axis + 1 :]]
    scale, zero_point = net.scale_of(x), net.zero_point_of(x)
    parts = [net.activation(left, scale, zero_point, f"part_{number}") for number in range(shape[axis])]
    net.operator("UNPACK", [x], parts, axis=pick(net, axis, axis - len(shape)), num=shape[axis])
    order = [parts[int(place)] for place in net.random.permutation(len(parts))]
    if pick(net, True, False):
        values = net.random.integers(-128, 128, size=left)
        order.append(net.tensor("constant", left, "int8", scale, zero_point, 0, values))
    onto = size(net, 0, len(left))
    made = [*left[:onto], len(order), *left[onto:]]
    axis = pick(net, onto, onto - len(made))
    return x, net.same("PACK", order[0], made, order[1:], axis=axis, valuesCount=len(order))


def gather(net: Layers) -> tuple[int, int]:
    x = tensor(net, 4)
    shape = list(net.shape(x))
    axis = size(net, 0, len(shape) - 1)
    wanted = pick(net, [size(net, 1, 5)], [size(net, 1, 5), size(net, 1, 3)], [1, size(net, 1, 5), 1])
    indexes = net.random.integers(0, shape[axis], size=wanted)
    made = [*shape[:axis], *wanted, *shape[axis + 1 :]]
    constant = net.constant("indexes", indexes, pick(net, "int32", "int64"))
    return x, net.same("GATHER", x, made, [constant], axis=pick(net, axis, axis - len(shape)))


def one_dimension(net: Layers) -> tuple[int, int]:
    """A convolution over time as Keras writes it."""
    x = net.activation([1, size(net, 4, 12), size(net, 1, 8)])
    length, depth = net.shape(x)[1:]
    high = net.same("EXPAND_DIMS", x, [1, 1, length, depth], [net.constant("axis", pick(net, 1, -3))])
    y = net.conv(high, 5, (1, 3))
    return x, net.same("SQUEEZE", y, [1, length, 5], squeezeDims=[pick(net, 1, -3)])


def reverse(net: Layers) -> tuple[int, int]:
    x = tensor(net, 4)
    rank = len(net.shape(x))
    return x, net.same("REVERSE_V2", x, net.shape(x), [net.constant("axes", [size(net, 1, rank - 1)])])


def tile(net: Layers) -> tuple[int, int]:
    x = tensor(net, 4, 1, 4)
    times = [size(net, 1, 3) for _ in net.shape(x)]
    made = [n * count for n, count in zip(net.shape(x), times, strict=True)]
    return x, net.same("TILE", x, made, [net.constant("multiples", times)])


def broadcast_to(net: Layers) -> tuple[int, int]:
    x = tensor(net, 4, 1, 3)
    made = [size(net, 1, 4) if n == 1 else n for n in net.shape(x)]
    return x, net.same("BROADCAST_TO", x, made, [net.constant("shape", made)])


def mirror_pad(net: Layers) -> tuple[int, int]:
    x = tensor(net, 4, 2)
    mode = size(net, 0, 1)  # REFLECT, SYMMETRIC
    amounts = [(size(net, 0, n - 1 + mode), size(net, 0, n - 1 + mode)) for n in net.shape(x)]
    made = [n + a + b for n, (a, b) in zip(net.shape(x), amounts, strict=True)]
    return x, net.same("MIRROR_PAD", x, made, [net.constant("paddings", amounts)], mode=mode)


def padded_with_value(net: Layers) -> tuple[int, int]:
    x = image(net)
    amounts = [(0, 0), *((size(net, 0, 3), size(net, 0, 3)) for _ in range(3))]
    made = [n + a + b for n, (a, b) in zip(net.shape(x), amounts, strict=True)]
    value = net.tensor("value", [], "int8", net.scale_of(x), net.zero_point_of(x), 0, np.array(size(net, -128, 127)))
    return x, net.same("PADV2", x, made, [net.constant("paddings", amounts), value])


def space_to_depth(net: Layers) -> tuple[int, int]:
    block = size(net, 1, 4)
    height, width, depth = size(net, 1, 4), size(net, 1, 4), size(net, 1, 5)
    flat, deep = [1, height * block, width * block, depth], [1, height, width, depth * block * block]
    if pick(net, True, False):
        x = net.activation(flat)
        return x, net.same("SPACE_TO_DEPTH", x, deep, blockSize=block)
    x = net.activation(deep)
    return x, net.same("DEPTH_TO_SPACE", x, flat, blockSize=block)


def space_to_batch(net: Layers) -> tuple[int, int]:
    """There and back, with other crops than paddings."""
    flat = bool(pick(net, True, False))
    blocks = [size(net, 1, 3) for _ in range(1 if flat else 2)]
    sizes = [block * size(net, 1, 4) for block in blocks]
    amounts = [(size(net, 0, n // 2), size(net, 0, n - 1 - n // 2)) for n in sizes]
    depth = [size(net, 1, 5)]
    x = net.activation([1, *(n - a - b for n, (a, b) in zip(sizes, amounts, strict=True)), *depth])
    small = [n // block for n, block in zip(sizes, blocks, strict=True)]
    shape = net.constant("blocks", blocks)
    many = [int(np.prod(blocks)), *small, *depth]
    y = net.same("SPACE_TO_BATCH_ND", x, many, [shape, net.constant("paddings", amounts)])
    crops = [(size(net, 0, n // 2), size(net, 0, n - 1 - n // 2)) for n in sizes]
    made = [1, *(n - a - b for n, (a, b) in zip(sizes, crops, strict=True)), *depth]
    return x, net.same("BATCH_TO_SPACE_ND", y, made, [shape, net.constant("crops", crops)])


def resize(kind: str) -> Build:
    def build(net: Layers) -> tuple[int, int]:
        x = image(net)
        made = [size(net, 1, 20), size(net, 1, 20)]
        corners = bool(pick(net, True, False))
        centres = bool(pick(net, True, False)) and (not corners or kind == "RESIZE_NEAREST_NEIGHBOR")
        shape = [1, *made, net.shape(x)[3]]
        return x, net.same(kind, x, shape, [net.constant("size", made)], alignCorners=corners, halfPixelCenters=centres)

    return build


MOVES: dict[str, tuple[Build, int]] = {
    "strided_slice": (strided_slice, 4),
    "slice": (slice_, 1),
    "split": (split("SPLIT"), 1),
    "split_v": (split("SPLIT_V"), 1),
    "unpack_and_pack": (unpack_and_pack, 2),
    "gather": (gather, 2),
    "one_dimension": (one_dimension, 1),
    "reverse": (reverse, 1),
    "tile": (tile, 1),
    "broadcast_to": (broadcast_to, 1),
    "mirror_pad": (mirror_pad, 2),
    "padded_with_value": (padded_with_value, 1),
    "space_to_depth": (space_to_depth, 2),
    "space_to_batch": (space_to_batch, 2),
    "resize_nearest": (resize("RESIZE_NEAREST_NEIGHBOR"), 3),
    "resize_bilinear": (resize("RESIZE_BILINEAR"), 4),
}
