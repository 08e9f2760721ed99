# SPDX-License-Identifier: Apache-2.0
"""Decisions, changes of type and divisions, with random shapes and parameters."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.firmware_gen.move_cases import Build, image, pick, size, tensor
from tests.firmware_gen.tflite_builder import Layers, pack

COMPARISONS = ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")


def threshold(net: Layers, x: int) -> int:
    """A constant for each channel, for each element or for all, of one scale with x or of another."""
    shape = pick(net, [net.shape(x)[-1]], list(net.shape(x)), [1], [])
    values = net.random.integers(-128, 128, size=shape)
    scale = net.scale_of(x) if pick(net, True, False) else float(net.random.uniform(0.01, 0.9))
    zero_point = net.zero_point_of(x) if pick(net, True, False) else size(net, -128, 127)
    return net.tensor(net.name("threshold"), shape, "int8", scale, zero_point, 0, values)


def compared(net: Layers, x: int, kind: str) -> int:
    operands = [x, threshold(net, x)] if pick(net, True, False) else [threshold(net, x), x]
    return net.operator(kind, operands, net.tensor(net.name("flags"), net.shape(x), "bool"))


def comparison(net: Layers) -> tuple[int, int]:
    x = image(net)
    return x, compared(net, x, pick(net, *COMPARISONS))


def comparison_of_two(net: Layers) -> tuple[int, int]:
    x = image(net)
    other = net.conv(x, net.shape(x)[3], (1, 1), output=net.activation(net.shape(x), name="other"))
    flags = net.tensor("flags", net.shape(x), "bool")
    return x, net.operator(pick(net, *COMPARISONS), [x, other], flags)


def logical(net: Layers) -> tuple[int, int]:
    x = image(net)
    sides = [compared(net, x, pick(net, *COMPARISONS)) for _ in range(2)]
    if pick(net, True, False):
        sides[0] = net.operator("LOGICAL_NOT", [sides[0]], net.tensor("inverted", net.shape(x), "bool"))
    kind = pick(net, "LOGICAL_AND", "LOGICAL_OR", "EQUAL", "NOT_EQUAL")
    return x, net.operator(kind, sides, net.tensor("both", net.shape(x), "bool"))


def select(net: Layers) -> tuple[int, int]:
    x = image(net)
    shape = list(net.shape(x))
    flags = compared(net, x, pick(net, *COMPARISONS))
    values = net.random.integers(-128, 128, size=shape)
    other = net.tensor("other", shape, "int8", net.scale_of(x), net.zero_point_of(x), 0, values)
    sides = [x, other] if pick(net, True, False) else [other, x]
    return x, net.operator("SELECT", [flags, *sides], net.activation(shape, net.scale_of(x), net.zero_point_of(x), "y"))


def select_rows(net: Layers) -> tuple[int, int]:
    """One flag for each row."""
    x = net.activation([size(net, 1, 5), size(net, 1, 6), size(net, 1, 6)])
    rows, height, depth = net.shape(x)
    x = net.activation([1, rows, height, depth])
    flat = net.same("RESHAPE", x, [rows, height, depth], [net.constant("shape", [rows, height, depth])])
    column = [net.constant(name, v) for name, v in (("b", [0, 0, 0, 0]), ("e", [1, rows, 1, 1]), ("s", [1, 1, 1, 1]))]
    first = net.same("STRIDED_SLICE", x, [rows], column, shrinkAxisMask=13)
    flags = compared(net, first, "GREATER")
    values = net.random.integers(-128, 128, size=(rows, height, depth))
    other = net.tensor("other", values.shape, "int8", 0.1, 0, 0, values)
    return x, net.operator("SELECT", [flags, flat, other], net.activation(values.shape, 0.1, 0, "y"))


def select_v2(net: Layers) -> tuple[int, int]:
    x = image(net)
    flags = compared(net, x, pick(net, *COMPARISONS))
    fill = net.tensor("fill", [], "int8", net.scale_of(x), net.zero_point_of(x), 0, np.array(size(net, -128, 127)))
    sides = [x, threshold(net, x)] if pick(net, True, False) else [fill, x]
    return x, net.operator("SELECT_V2", [flags, *sides], net.activation(net.shape(x), name="y"))


def arg_extreme(net: Layers) -> tuple[int, int]:
    x = tensor(net, 4)
    shape = list(net.shape(x))
    axis = size(net, 0, len(shape) - 1)
    wide = bool(pick(net, True, False))
    made = net.tensor("places", [*shape[:axis], *shape[axis + 1 :]], "int64" if wide else "int32")
    given = pick(net, axis, axis - len(shape))
    code = schema.TensorType.INT64 if wide else schema.TensorType.INT32
    kind = pick(net, "ARG_MAX", "ARG_MIN")
    return x, net.operator(kind, [x, net.constant("axis", pick(net, given, [given]))], made, outputType=code)


def cast(net: Layers) -> tuple[int, int]:
    """Of codes, of flags and of places, to anything."""
    x = image(net)
    source = pick(net, x, compared(net, x, "LESS"), 0)
    if source == 0:
        source = net.operator(
            "ARG_MAX",
            [x, net.constant("axis", 3)],
            net.tensor("places", net.shape(x)[:3], "int64"),
            outputType=schema.TensorType.INT64,
        )
    for _ in range(size(net, 0, 2)):
        kind = pick(net, "int8", "int16", "int32", "int64", "bool")
        source = net.operator("CAST", [source], net.tensor(net.name("cast"), net.shape(source), kind))
    kind = pick(net, "uint8", "float32", "int16", "int32", "int64", "bool")
    scale = 0.1 if kind == "uint8" else None
    return x, net.operator("CAST", [source], net.tensor("y", net.shape(source), kind, scale))


def unsigned_cast(net: Layers) -> tuple[int, int]:
    x = net.tensor("x", [1, 4, 5], "uint8", 0.1, 7)
    y = net.operator("CAST", [x], net.tensor("real", [1, 4, 5], "float32"))
    return x, net.operator("QUANTIZE", [y], net.activation([1, 4, 5], 2.0, -128, "y"))


def floor_division(net: Layers) -> tuple[int, int]:
    x = image(net)
    code = np.array([pick(net, -128, -7, -2, 1, 2, 3, 10, 127)])
    divisor = net.tensor("divisor", [1], "int8", 1.0, 0, 0, code)
    return x, net.operator("FLOOR_DIV", [x, divisor], net.activation(net.shape(x), name="y"))


def division(net: Layers) -> tuple[int, int]:
    """By scales of which no shift is above 31 bits."""
    x = image(net)
    code, zero_point = size(net, 1, 127), size(net, -128, -1)
    scale = net.scale_of(x) / float(net.random.uniform(300, 2000))
    divisor = net.tensor("divisor", [1], "int8", scale, zero_point, 0, np.array([code]))
    return x, net.operator(
        "DIV", [x, divisor], net.activation(net.shape(x), float(net.random.uniform(0.5, 1)), name="y")
    )


def whole_input(net: Layers) -> tuple[int, int]:
    """Numbers as they come, as floats and as codes."""
    shape = [1, size(net, 1, 5), size(net, 1, 5)]
    x = net.tensor("numbers", shape, "int32")
    real = net.operator("CAST", [x], net.tensor("real", shape, "float32"))
    kind = pick(net, "float32", "codes", "int8", "int16", "int64", "bool", "uint8")
    if kind == "float32":
        return x, real
    if kind == "codes":
        # Beyond 2^31 steps TFLite's own cast overflows.
        return x, net.operator("QUANTIZE", [real], net.activation(shape, float(net.random.uniform(2, 9e7)), name="y"))
    scale = 0.1 if kind in ("uint8", "int8") else None
    return x, net.operator("CAST", [x], net.tensor("y", shape, kind, scale))


def bool_input(net: Layers) -> tuple[int, int]:
    """Flags, turned and chosen by."""
    shape = [1, size(net, 1, 5), size(net, 1, 5)]
    x = net.tensor("flags", shape, "bool")
    y = net.operator("LOGICAL_NOT", [x], net.tensor("inverted", shape, "bool"))
    if pick(net, True, False):
        return x, net.operator(pick(net, "LOGICAL_AND", "LOGICAL_OR"), [x, y], net.tensor("both", shape, "bool"))
    values = net.random.integers(-128, 128, size=(2, *shape))
    sides = [net.tensor(net.name("side"), shape, "int8", 0.1, 5, 0, side) for side in values]
    codes = net.operator("CAST", [y], net.activation(shape, 0.1, 5, "codes"))
    sides[int(pick(net, 0, 1))] = codes
    return x, net.operator("SELECT", [x, *sides], net.activation(shape, 0.1, 5, "y"))


def embedding(net: Layers) -> tuple[int, int]:
    """Rows of a table in flash, which indexes name."""
    words, depth = size(net, 1, 40), size(net, 1, 9)
    x = net.tensor("words", pick(net, [1, 5], [1], [1, 2, 3]), "int32")
    values = net.random.integers(-128, 128, size=(words, depth))
    table = net.tensor("table", values.shape, "int8", 0.1, 5, 0, values)
    indexes = x
    if len(net.shape(x)) == 3:
        shape = net.constant("shape", [1, 6])
        indexes = net.operator("RESHAPE", [x, shape], net.tensor("row", [1, 6], "int32"), newShape=[1, 6])
    made = net.activation([*net.shape(indexes), depth], 0.1, 5, "y")
    return x, net.operator("GATHER", [table, indexes], made, axis=0)


def looked_up(net: Layers) -> tuple[int, int]:
    """An activation where another one is largest."""
    x = image(net)
    shape = list(net.shape(x))
    code = schema.TensorType.INT32
    axis = size(net, 1, 3)
    depth = shape[axis]
    other = [size(net, 1, 4), depth]
    scores = net.tensor("scores", other, "int8", 0.1, 5, 0, net.random.integers(-128, 128, size=other))
    flat = net.dense(x, depth)
    best = net.elementwise("ADD", flat, scores)
    places = net.operator(
        "ARG_MAX", [best, net.constant("axis", 1)], net.tensor("p", other[:1], "int32"), outputType=code
    )
    made = [*shape[:axis], other[0], *shape[axis + 1 :]]
    return x, net.same("GATHER", x, made, [places], axis=pick(net, axis, axis - 4))


def tiny_words(seed: int = 17) -> bytes:
    """Indexes and flags: rows of a table, chosen or not."""
    net = Layers(seed)
    words, flags = net.tensor("words", [1, 4], "int32"), net.tensor("flags", [1, 4, 1], "bool")
    table = net.tensor("table", [9, 6], "int8", 0.1, 5, 0, net.random.integers(-128, 128, size=(9, 6)))
    rows = net.operator("GATHER", [table, words], net.activation([1, 4, 6], 0.1, 5, "rows"), axis=0)
    fill = net.tensor("fill", [], "int8", 0.1, 5, 0, np.array(5))
    chosen = net.operator("SELECT_V2", [flags, rows, fill], net.activation([1, 4, 6], 0.1, 5, "chosen"))
    return pack(net.model([words, flags], [net.dense(net.reshape(chosen, [1, 24]), 5)]))


LOGIC: dict[str, tuple[Build, int]] = {
    "comparison": (comparison, 0),
    "comparison_of_two": (comparison_of_two, 0),
    "logical": (logical, 0),
    "select": (select, 0),
    "select_rows": (select_rows, 1),
    "select_v2": (select_v2, 0),
    "arg_extreme": (arg_extreme, 0),
    "cast": (cast, 1),
    "unsigned_cast": (unsigned_cast, 0),
    "whole_input": (whole_input, 3),
    "bool_input": (bool_input, 2),
    "embedding": (embedding, 2),
    "looked_up": (looked_up, 2),
    "floor_division": (floor_division, 0),
    "division": (division, 1),
}
"""With 0 by default where `tiny_logic` has them."""
