# SPDX-License-Identifier: Apache-2.0
"""A residual network at 8, 4 and 2 bits, and at pairs of them, on the same int8 codes, written as the conversion writes
such modes: QUANTIZE at the entry of a block with narrow activations, INT4 slices as weights, the stream at 8 bits. Its
weights are random: nothing is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.random import default_rng

from dimmer.firmware_gen.graph.slices import sliced
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.conversion.narrow import packed_int4
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.modes.width import activation_bits, weight_bits
from tests.firmware_gen.tflite_builder import Layers, activation_code, padding_code

CLIP = 6.0
STEPS = {8: 255, 4: 15, 2: 3}
UNITS = {8: 1, 4: 16, 2: 64 / 7}
"""Steps of the int8 code in one of the narrow weight's."""


@dataclass(frozen=True)
class Shape:
    """Of the network: blocks, widths and strides of the stages."""

    size: int
    widths: tuple[int, ...]
    blocks: int
    deviation: float = 40.0


class _Narrow(Layers):
    def shared_codes(
        self, layer: str, shape: Sequence[int], deviation: float
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
        """The int8 codes of a layer, the same in every file, with a maximum of 127 in each channel."""
        random = default_rng(list(layer.encode()))
        codes = np.clip(np.rint(random.normal(0, deviation, tuple(shape))), -127, 127).astype(np.int8)
        codes.reshape(shape[0], -1)[:, 0] = 127
        return codes

    def narrow_conv(
        self,
        name: str,
        x: int,
        channels: int,
        kernel: int,
        stride: int,
        bits: int,
        output: int,
        activation: str,
        deviation: float,
    ) -> int:
        size, depth = self.shape(x)[1], self.shape(x)[3]
        codes = self.shared_codes(name, [channels, kernel, kernel, depth], deviation)
        bits = weight_bits(bits)
        unit = 0.9 / (deviation * (kernel * kernel * depth) ** 0.5) * UNITS[bits]
        scales = [unit * (1 + c % 5 / 10) for c in range(channels)]
        weights = self.tensor(f"{name}/weights", codes.shape, "int8", scales, 0, 0, codes)
        if bits != 8:
            self.tensors[weights].type = schema.TensorType.INT4
            self.buffers[self.tensors[weights].buffer].data = packed_int4(sliced(codes.reshape(-1), bits))
        step = self.scale_of(x)
        values = np.rint(default_rng(channels).normal(0.3, 0.5, channels) / (step * np.array(scales)))
        bias = self.tensor(f"{name}/bias", [channels], "int32", [step * s for s in scales], 0, 0, values)
        padding = "SAME"
        if kernel > 1 and stride > 1:
            padded = self.tensor(f"{name}/pad", [1, size + 2, size + 2, depth], "int8", step, self.zero_point_of(x))
            pads = self.constant(f"{name}/pads", [[0, 0], [1, 1], [1, 1], [0, 0]])
            x, padding = self.operator("PAD", [x, pads], padded), "VALID"
        return self.operator(
            "CONV_2D",
            [x, weights, bias],
            output,
            strideH=stride,
            strideW=stride,
            dilationHFactor=1,
            dilationWFactor=1,
            padding=padding_code(padding),
            fusedActivationFunction=activation_code(activation),
        )

    def grid(self, name: str, shape: Sequence[int], bits: int) -> int:
        """A tensor of the values that a width's activations have between 0 and the clip."""
        return self.tensor(name, shape, "int8", CLIP / STEPS[activation_bits(bits)], -128)

    def block(self, name: str, x: int, channels: int, stride: int, bits: int, deviation: float) -> int:
        shape = [1, self.shape(x)[1] // stride, self.shape(x)[2] // stride, channels]
        entry = x
        if activation_bits(bits) != 8:
            entry = self.operator("QUANTIZE", [x], self.grid(f"{name}.in", self.shape(x), bits))
        inner = self.grid(f"{name}.conv1", shape, bits)
        self.narrow_conv(f"{name}.conv1", entry, channels, 3, stride, bits, inner, "RELU6", deviation)
        outer = self.tensor(f"{name}.conv2", shape, "int8", 0.05, 3)
        self.narrow_conv(f"{name}.conv2", inner, channels, 3, 1, bits, outer, "NONE", deviation)
        if stride > 1:
            short = self.tensor(f"{name}.shortcut", shape, "int8", 0.04, -7)
            x = self.narrow_conv(f"{name}.shortcut", entry, channels, 1, stride, bits, short, "NONE", deviation)
        out = self.grid(f"{name}.out", shape, 8)
        return self.operator("ADD", [x, outer], out, fusedActivationFunction=activation_code("RELU6"))


def build_mode(shape: Shape, bits: Sequence[int]) -> tuple[bytes, tuple[str, ...]]:
    """The file of one mode and its boundaries.

    Args:
        bits: width of every block, the stages one after the other; 0 skips one that is not the first of its stage.
    """
    net = _Narrow(0)
    source = net.activation([1, shape.size, shape.size, 3], 1 / 64, 0)
    y = net.grid("stem", [1, shape.size, shape.size, shape.widths[0]], 8)
    y = net.narrow_conv("stem", source, shape.widths[0], 3, 1, 8, y, "RELU6", shape.deviation)
    boundaries = ["stem"]
    for number, width in enumerate(bits):
        stage, place = divmod(number, shape.blocks)
        if width:
            stride = 2 if stage and not place else 1
            y = net.block(f"{stage}.{place}", y, shape.widths[stage], stride, width, shape.deviation)
        boundaries.append(net.tensors[y].name)
    net.random = default_rng(77)
    side = net.shape(y)[1]
    y = net.pool("AVERAGE_POOL_2D", y, (side, side), (1, 1), "VALID", "NONE")
    return net.build(source, net.dense(net.reshape(y, [1, shape.widths[-1]]), 10)), tuple(boundaries)


def write_modes(folder: Path, shape: Shape, modes: Sequence[str]) -> tuple[ModeSource, ...]:
    """Writes modes as they are called: the width of every block, stages apart ("88.c0")."""
    sources = []
    for name in modes:
        data, boundaries = build_mode(shape, [bits for stage in Mode.parse(name).blocks for bits in stage])
        path = folder / f"{name}.tflite"
        path.write_bytes(data)
        sources.append(ModeSource(name, path, boundaries))
    return tuple(sources)
