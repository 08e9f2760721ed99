# SPDX-License-Identifier: Apache-2.0
"""Random graphs of slices, splits and concatenations, nested, chained and shared, with kernels of all kinds between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.firmware_gen.harness import Case, edge_inputs
from tests.firmware_gen.move_cases import pick, size
from tests.firmware_gen.tflite_builder import Layers, pack

WIDTHS = ((1, 1), (1, 3), (2, 2), (1, 4), (3, 4), (2, 8), (1, 16), (4, 16))


class Tangle:
    """Tensors of one scale and zero point, [1, h, w, c] with any h: whatever is cut by rows is one run of bytes."""

    def __init__(self, net: Layers) -> None:
        self.net = net
        self.width, self.depth = pick(net, *WIDTHS)
        self.inputs = [self.tensor(size(net, 2, 6)) for _ in range(size(net, 1, 2))]
        self.made = list(self.inputs)
        self.read: set[int] = set()

    def tensor(self, rows: int) -> int:
        net = self.net
        return net.activation([1, rows, self.width, self.depth], 0.05, 3, net.name("t"))

    def rows(self, tensor: int) -> int:
        return self.net.shape(tensor)[1]

    def any(self, least: int = 1) -> int:
        """Some tensor, rather a late one."""
        fitting = [tensor for tensor in self.made if self.rows(tensor) >= least]
        if not fitting:
            return self.joined()
        chosen = pick(self.net, *fitting, *fitting[-3:])
        self.read.add(chosen)
        return int(chosen)

    def put(self, *tensors: int) -> None:
        self.made += tensors

    def joined(self) -> int:
        parts = [self.any() for _ in range(size(self.net, 2, 3))]
        made = self.tensor(sum(map(self.rows, parts)))
        self.net.operator("CONCATENATION", parts, made, axis=pick(self.net, 1, -3))
        self.put(made)
        return made

    def split(self) -> None:
        x = self.any(2)
        first = size(self.net, 1, self.rows(x) - 1)
        parts = [self.tensor(first), self.tensor(self.rows(x) - first)]
        sizes, axis = self.net.constant("sizes", [first, -1]), self.net.constant("axis", 1)
        self.net.operator("SPLIT_V", [x, sizes, axis], parts, numSplits=2)
        self.put(*parts)

    def slice(self) -> None:
        x = self.any()
        begin = size(self.net, 0, self.rows(x) - 1)
        rows = size(self.net, 1, self.rows(x) - begin)
        made = self.tensor(rows)
        ends = [self.net.constant("begin", [0, begin, 0, 0]), self.net.constant("size", [1, rows, -1, -1])]
        self.net.operator("SLICE", [x, *ends], made)
        self.put(made)

    def unpacked(self) -> None:
        x = self.any()
        net = self.net
        parts = [net.activation([1, self.width, self.depth], 0.05, 3, net.name("u")) for _ in range(self.rows(x))]
        net.operator("UNPACK", [x], parts, axis=1, num=len(parts))
        order = [parts[int(place)] for place in net.random.permutation(len(parts))]
        made = self.tensor(len(order))
        net.operator("PACK", order, made, axis=1, valuesCount=len(order))
        self.put(made)

    def summed(self) -> None:
        x = self.any()
        same = [other for other in self.made if self.rows(other) in (1, self.rows(x))]
        other = int(pick(self.net, *same))
        self.read.add(other)
        made = self.tensor(self.rows(x))
        operands = (x, other) if pick(self.net, True, False) else (other, x)
        self.net.elementwise(pick(self.net, "ADD", "SUB"), *operands, pick(self.net, "NONE", "RELU6"), made)
        self.put(made)

    def computed(self) -> None:
        x = self.any()
        made = self.tensor(self.rows(x))
        kind = pick(self.net, "conv", "depthwise", "HARD_SWISH", "RELU", "MAXIMUM", "pool")
        if kind == "conv":
            self.net.conv(x, self.depth, pick(self.net, (1, 1), (3, 3)), output=made)
        elif kind == "depthwise":
            weights = self.net.weights([1, 3, 3, self.depth], 3)
            options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1, "depthMultiplier": 1}
            self.net.operator("DEPTHWISE_CONV_2D", [x, weights, self.net.bias(self.depth)], made, **options)
        elif kind == "MAXIMUM":
            self.net.operator("MAXIMUM", [x, x], made)
        elif kind == "pool":
            options = {"filterHeight": 3, "filterWidth": 1, "strideH": 1, "strideW": 1}
            self.net.operator("MAX_POOL_2D", [x], made, **options)
        else:
            self.net.operator(kind, [x], made)
        self.put(made)


def tangle(seed: int) -> bytes:
    """A file of one or two inputs and one to three outputs."""
    net = Layers(seed)
    made = Tangle(net)
    steps: tuple[Callable[[], object], ...] = (
        made.joined,
        made.split,
        made.slice,
        made.unpacked,
        made.summed,
        made.computed,
    )
    while len(net.operators) < 12:
        pick(net, *steps, made.joined, made.split, made.computed)()
        if len(made.made) > 40 or made.rows(made.made[-1]) > 40:
            break
    left = [tensor for tensor in made.made if tensor not in {*made.read, *made.inputs}]
    outputs = left[-3:] or [made.joined()]
    used = {index for operator in net.operators for index in operator.inputs}
    return pack(net.model([one for one in made.inputs if one in used], outputs))


def tangles(folder: Path, seeds: range, count: int = 3) -> list[Case]:
    """Files and inputs to try."""
    cases = []
    for seed in seeds:
        path = folder / f"tangle_{seed}.tflite"
        path.write_bytes(tangle(seed))
        cases.append(Case(path.stem, path, edge_inputs(path, count, seed)))
    return cases


def streamed(seed: int) -> bytes:
    """A file with two windows that last: what is kept of them is cut from, and joined with, what else there is."""
    net = Layers(seed)
    made = Tangle(net)
    handles = [net.variable(name) for name in ("one", "two")]
    rows = [size(net, 1, 4) for _ in handles]
    windows = [made.tensor(count) for count in rows]
    for handle, window in zip(handles, windows, strict=True):
        net.operator("READ_VARIABLE", [handle], window)
    made.put(*windows, *windows)
    before = len(net.operators)
    steps: tuple[Callable[[], object], ...] = (made.joined, made.split, made.slice, made.summed, made.computed)
    while len(net.operators) < before + 8 and made.rows(made.made[-1]) < 40:
        pick(net, *steps)()
    for handle, window, count in zip(handles, windows, rows, strict=True):
        # Moved on by a row, or what another window and the rest make up.
        news = pick(net, [window, made.any()], [made.any(), made.any(), window])
        whole = net.operator("CONCATENATION", news, made.tensor(sum(map(made.rows, news))), axis=1)
        begin = size(net, 0, made.rows(whole) - count)
        ends = [net.constant("begin", [0, begin, 0, 0]), net.constant("size", [1, count, -1, -1])]
        kept = net.operator("SLICE", [whole, *ends], made.tensor(count))
        net.operator("ASSIGN_VARIABLE", [handle, kept], [])
        if pick(net, True, False):
            made.put(net.operator("READ_VARIABLE", [handle], made.tensor(count)))
    output = made.joined()
    used = {index for operator in net.operators for index in operator.inputs}
    shapes = {name: net.shape(window) for name, window in zip(("one", "two"), windows, strict=True)}
    initial = {name: net.random.integers(-128, 128, shape) for name, shape in shapes.items()}
    return pack(net.stateful([one for one in made.inputs if one in used] or made.inputs[:1], [output], initial))
