# SPDX-License-Identifier: Apache-2.0
"""Counts what operators take on emulated boards, an element of their output or a multiply-accumulate, for
docs/operators.md.

python -m tests.firmware_gen.operator_counts                 # writes benchmarks/operators.json
python -m firmware_gen.operators_page
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from dimmer import children
from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.operators_page import BOARDS, COUNTS
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.events import StepCounted, only, run_events
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import load_target
from tests.firmware_gen.tflite_builder import Layers, pack

IMAGE = (1, 16, 16, 16)
"""What most operators work on: 4,096 elements."""
Build = Callable[[Layers, int], int]
"""An operator on an image; gives its output."""


def conv(size: int, channels: int = 16) -> Build:
    return lambda net, x: net.conv(x, channels, (size, size))


def constant(net: Layers, shape: tuple[int, ...]) -> int:
    values = net.random.integers(-128, 128, size=shape)
    return net.tensor(net.name("constant"), shape, "int8", 0.04, 3, 0, values)


def spread(kind: str, *shape: int) -> Build:
    """With a constant that is broadcast."""
    return lambda net, x: net.elementwise(kind, x, constant(net, shape))


def pair(kind: str) -> Build:
    """With another image."""
    return lambda net, x: net.elementwise(kind, x, constant(net, IMAGE))


def rescaled(kind: str, scale: float | None = None, zero_point: int | None = None) -> Build:
    return lambda net, x: net.operator(kind, [x], net.activation(IMAGE, scale, zero_point, net.name("y")))


def reduced(kind: str) -> Build:
    return lambda net, x: net.same(kind, x, [1, 16], [net.constant(net.name("axes"), [1, 2])], keepDims=False)


def resized(kind: str) -> Build:
    return lambda net, x: net.same(kind, x, [1, 32, 32, 16], [net.constant(net.name("size"), [32, 32])])


def one_channel(net: Layers, x: int) -> int:
    """The image's bytes as one of one channel."""
    return net.reshape(x, [1, 64, 64, 1])


def half(net: Layers, x: int) -> int:
    begin, size = (net.constant(net.name(n), v) for n, v in (("begin", [0, 0, 0, 4]), ("size", [1, 16, 16, 8])))
    return net.same("SLICE", x, [1, 16, 16, 8], [begin, size])


def gathered(net: Layers, x: int) -> int:
    """A row of 16 for each pixel, by its largest channel."""
    axis = net.constant(net.name("axis"), 3)
    indexes = net.tensor(net.name("indexes"), IMAGE[:3], "int32")
    net.operator("ARG_MAX", [x, axis], indexes, outputType=schema.TensorType.INT32)
    values = np.arange(-128, 128).reshape(16, 16)
    table = net.tensor(net.name("constant"), values.shape, "int8", 0.04, 3, 0, values)
    return net.operator("GATHER", [table, indexes], net.activation(IMAGE, 0.04, 3, net.name("y")), axis=0)


def svdf(net: Layers, x: int) -> int:
    row = net.reshape(x, [1, 4096])
    features = net.weights([16, 4096], 0, per_channel=False)
    values = net.random.integers(-3000, 3000, size=(16, 8))
    times = net.tensor(net.name("times"), [16, 8], "int16", 1e-4, 0, 0, values)
    scale = net.scale_of(row) * net.scale_of(features) * 20
    state = net.state(net.name("state"), [1, 128], "int16", scale)
    output = net.activation([1, 8], scale * 1e-4 * 5e6, name=net.name("y"))
    activation = schema.ActivationFunctionType.RELU
    inputs = [row, features, times, net.bias(8), state]
    return net.operator("SVDF", inputs, output, rank=2, fusedActivationFunction=activation)


def lstm(net: Layers, x: int) -> int:
    rows, cells = net.reshape(x, [1, 64, 64]), 16
    weights = [net.weights([cells, width], 0, per_channel=False) for width in (64,) * 4 + (cells,) * 4]
    states = [
        net.state(net.name("h"), [1, cells], "int8", 0.007, 0),
        net.state(net.name("c"), [1, cells], "int16", 2.0**-12),
    ]
    output = net.tensor(net.name("y"), [1, 64, cells], "int8", 0.007, 0)
    inputs = [rows, *weights, -1, -1, -1, *(net.bias(cells) for _ in range(4)), -1, -1, *states]
    activation = schema.ActivationFunctionType.TANH
    net.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, output, fusedActivationFunction=activation, cellClip=0.0)
    within = [net.tensor(net.name("gate"), [0], "float32") for _ in range(4)]
    net.operators[-1].intermediates = [*within, net.tensor(net.name("hidden"), [0], "int8", 0.007, 0)]
    return output


OPERATORS: Mapping[str, Build] = {
    "ADD": pair("ADD"),
    "ADD, a row": spread("ADD", 16),
    "ADD, a number a pixel": spread("ADD", 1, 16, 16, 1),
    "AVERAGE_POOL_2D, 2x2": lambda net, x: net.pool("AVERAGE_POOL_2D", x, (2, 2), (2, 2), "VALID", "NONE"),
    "CONV_2D, 1x1": conv(1),
    "CONV_2D, 3x3": conv(3),
    "CONV_2D, 3x3 of one channel": lambda net, x: net.conv(one_channel(net, x), 16, (3, 3)),
    "CONV_2D, 5x5 of one channel": lambda net, x: net.conv(one_channel(net, x), 8, (5, 5), (2, 2)),
    "DEPTHWISE_CONV_2D, 3x3": lambda net, x: net.depthwise(x, 1, (3, 3)),
    "DEPTHWISE_CONV_2D, 3x3, multiplier 2": lambda net, x: net.depthwise(x, 2, (3, 3)),
    "DEPTHWISE_CONV_2D, 10x8 of one channel, multiplier 8": (
        lambda net, x: net.depthwise(one_channel(net, x), 8, (10, 8), (2, 2))
    ),
    "FULLY_CONNECTED": lambda net, x: net.dense(net.reshape(x, [1, 4096]), 16),
    "GATHER by computed indexes, rows of 16": gathered,
    "HARD_SWISH and other tables": rescaled("HARD_SWISH"),
    "L2_NORMALIZATION": rescaled("L2_NORMALIZATION", 1 / 128, 0),
    "MAX_POOL_2D, 2x2": lambda net, x: net.pool("MAX_POOL_2D", x, (2, 2), (2, 2), "VALID", "NONE"),
    "MAXIMUM": lambda net, x: net.same("MAXIMUM", x, IMAGE, [x]),
    "MEAN, of its inputs": reduced("MEAN"),
    "MUL": pair("MUL"),
    "MUL, a row": spread("MUL", 16),
    "PAD": lambda net, x: net.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]),
    "QUANTIZE and RELU": rescaled("QUANTIZE"),
    "REDUCE_MAX, of its inputs": reduced("REDUCE_MAX"),
    "RESIZE_BILINEAR": resized("RESIZE_BILINEAR"),
    "RESIZE_NEAREST_NEIGHBOR": resized("RESIZE_NEAREST_NEIGHBOR"),
    "SLICE, half of the channels": half,
    "SOFTMAX, 16 classes": lambda net, x: net.operator(
        "SOFTMAX", [x], net.activation(IMAGE, 1 / 256, -128, net.name("y")), beta=1.0
    ),
    "SUB": pair("SUB"),
    "SUB, a row": spread("SUB", 16),
    "SVDF": svdf,
    "TRANSPOSE": lambda net, x: net.same(
        "TRANSPOSE", x, [1, 16, 16, 16], [net.constant(net.name("order"), [0, 3, 1, 2])]
    ),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm,
}
"""What is counted -> how it is built."""


@dataclass(frozen=True)
class Network:
    """All of them on one image, each an output.

    Attributes:
        data: the file.
        layers: what is counted -> the name of its output, and elements that it is divided by.
    """

    data: bytes
    layers: Mapping[str, tuple[str, int]]


def network() -> Network:
    """The file of which everything is counted."""
    net = Layers(5)
    x = net.activation(IMAGE, 0.05, 3)
    outputs, layers = [], {}
    for name, build in OPERATORS.items():
        output = build(net, x)
        net.tensors[output].name = name
        outputs.append(output)
        elements = 4096 if name.endswith("of its inputs") else 1
        for size in net.shape(output) if elements == 1 else ():
            elements *= size
        layers[name] = (name, elements)
    return Network(pack(net.model([x], outputs)), layers)


def counted(target_name: str, found: Network, work: Path) -> dict[str, tuple[str, float, str]]:
    """What is counted -> instructions, "element" or "MAC", and the kernel, on a board."""
    target = load_target(target_name)
    path = work / "operators.tflite"
    path.write_bytes(found.data)
    order = foreign_order([path], 0)
    compiled = compile_modes(order, order.modes, target, work)
    made: dict[str, tuple[str, float, str]] = {}
    for event in only(StepCounted, run_events(target, compiled.elf, ["layers"], work, count=True)):
        step = compiled.model.steps[event.step]
        # What follows under the same name is the copy into the buffer of all outputs.
        if step.layer in found.layers and step.layer not in made:
            assert event.instructions is not None
            name, elements = found.layers[step.layer]
            unit, by = ("MAC", step.macs) if step.macs else ("element", elements)
            made[name] = (unit, round(event.instructions / by, 2), step.kernel)
    return made


def main() -> None:
    """Writes the counts, and names the file."""
    found = network()
    table: dict[str, dict[str, object]] = {}
    for board in BOARDS:
        with children.scratch() as work:
            for name, (unit, instructions, kernel) in counted(board, found, work).items():
                table.setdefault(name, {"unit": unit})[board] = {"instructions": instructions, "kernel": kernel}
    write_atomically(COUNTS, json.dumps(table, indent=1) + "\n")
    print(COUNTS)


if __name__ == "__main__":
    main()
