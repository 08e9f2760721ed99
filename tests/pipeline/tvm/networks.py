# SPDX-License-Identifier: Apache-2.0
"""Small networks, one for each kind of operator, and the comparison of TVM's modes with the interpreter."""

from __future__ import annotations

from pathlib import Path

from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.pipeline.tvm.module import build_modules, mismatches
from dimmer.pipeline.tvm.targets import TARGETS
from tests.firmware_gen.tflite_builder import Layers


def compare(modes: list[ModeSource], out: Path, samples: int = 20) -> None:
    build_modules({mode.name: mode.path for mode in modes}, TARGETS["host"], out)
    inputs = sample_inputs(modes[0].path, samples)
    assert mismatches(out, modes, inputs) == {mode.name: 0 for mode in modes}


KINDS = [
    "strided and padded",
    "dilated, of odd channels",
    "of one pixel",
    "sum of two convolutions",
    "dense",
    "depthwise with a multiplier",
    "pools",
    "mean",
    "sum and difference",
    "rescaled",
]


def network(kind: str) -> bytes:
    net = Layers(11)
    x = net.activation([1, 9, 9, 4], 1 / 64, 3)
    match kind:
        case "strided and padded":
            y = net.conv(net.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), 6, stride=(2, 2), padding="VALID")
        case "dilated, of odd channels":
            y = net.conv(net.conv(x, 5), 7, dilation=(2, 2), activation="RELU")
        case "of one pixel":
            y = net.conv(net.conv(x, 8, (9, 9), padding="VALID"), 3, (1, 1))
        case "sum of two convolutions":
            y = net.elementwise("ADD", net.conv(x, 16), net.conv(x, 16, (1, 1)), "RELU")
        case "dense":
            y = net.dense(net.reshape(net.conv(x, 3), [1, 243]), 5)
        case "depthwise with a multiplier":
            y = net.depthwise(x, 2, activation="RELU6")
        case "pools":
            y = net.pool("AVERAGE_POOL_2D", x, (3, 3), (2, 2), "SAME", "RELU")
            y = net.pool("MAX_POOL_2D", y, (2, 2), (1, 1), "SAME", "NONE")
        case "mean":
            mean = net.activation([1, 4], net.scale_of(x), net.zero_point_of(x), "mean")
            y = net.operator("MEAN", [x, net.constant("axes", [1, 2])], mean, keepDims=False)
        case "sum and difference":
            y = net.elementwise("SUB", net.elementwise("ADD", x, net.conv(x, 4), "RELU"), x)
        case "rescaled":
            y = net.operator("RELU6", [net.conv(x, 4)], net.activation([1, 9, 9, 4], 6 / 255, -128, "clipped"))
            y = net.operator("QUANTIZE", [y], net.activation([1, 9, 9, 4], 6 / 15, -128, "narrow"))
        case _:
            raise ValueError(kind)
    return net.build(x, y)
