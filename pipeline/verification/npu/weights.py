# SPDX-License-Identifier: Apache-2.0
"""Weights as the NPU reads them: compressed, and in the order in which its multipliers take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dimmer.firmware_gen.npu.scales import RECORD
from dimmer.pipeline.verification.npu.errors import NpuModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]

_INPUT_UNIT = 8
_OUTPUT_UNITS = {32: 4, 64: 8, 128: 8, 256: 8}
"""Multiply-accumulates in a cycle of one core -> output channels that it computes at a time."""


@dataclass(frozen=True)
class Order:
    """What decides the order of a layer's weights.

    Attributes:
        outputs, height, width, inputs: of the kernel; a depthwise one has 1 input.
        block: output channels of a block.
        macs: in a cycle, of one core.
        depthwise: one input channel for each output channel.
        part_kernel: whether few input channels are taken with many elements of the kernel.
        sub_height, sub_width: the kernel is taken in parts of at most so many.
    """

    outputs: int
    height: int
    width: int
    inputs: int
    block: int
    macs: int
    depthwise: bool
    part_kernel: bool
    sub_height: int = 8
    sub_width: int = 8


def decode(stream: bytes, order: Order) -> Int64:
    """A layer's weights without their zero point: int64[outputs, height, width, inputs].

    Raises:
        NpuModelError: the stream holds fewer weights than the layer has.
    """
    from ethosu import mlw_codec

    values = np.asarray(mlw_codec.decode(bytearray(stream)), np.int64).reshape(-1)
    places = _places(order)
    if len(values) < len(places):
        raise NpuModelError(f"a layer has {len(places):,} weights, its stream {len(values):,}")
    size = order.outputs * order.height * order.width * order.inputs
    # Weights that only fill a unit up land behind the end.
    found = np.zeros(size + 1, np.int64)
    found[places] = values[: len(places)]
    return found[:size].reshape(order.outputs, order.height, order.width, order.inputs)


def _places(order: Order) -> Int64:
    """Of each weight in the stream, where it belongs in the flat kernel; one behind the end for those that fill up."""
    unit = _OUTPUT_UNITS.get(order.macs, 8)
    depth = 16 if order.part_kernel else 32
    found = []
    for output in range(0, order.outputs, order.block):
        block = min(order.block, order.outputs - output)
        for first in range(0, 1 if order.depthwise else order.inputs, depth):
            if order.depthwise:
                inputs = _INPUT_UNIT
            else:
                inputs = min(depth, order.inputs - first) if order.part_kernel else depth
            for y in range(0, order.height, order.sub_height):
                for x in range(0, order.width, order.sub_width):
                    high = min(order.sub_height, order.height - y)
                    wide = min(order.sub_width, order.width - x)
                    found.append(_sub_kernel(order, (output, block, unit), (first, inputs), (y, x, high, wide)))
    return np.concatenate(found)


def _sub_kernel(
    order: Order, outputs: tuple[int, int, int], inputs: tuple[int, int], part: tuple[int, int, int, int]
) -> Int64:
    (start, block, unit), (first, depth), (y, x, high, wide) = outputs, inputs, part
    elements = high * wide
    if order.part_kernel or order.depthwise:
        elements = -(-elements // 4) * 4
    step = 1 if order.depthwise else _INPUT_UNIT
    outer, inner = (depth, 1) if order.part_kernel else (1, depth)
    if order.depthwise:
        inner = 1
    around = np.arange(0, outer, _INPUT_UNIT)[:, None, None, None, None, None]
    units = np.arange(0, block, unit)[None, :, None, None, None, None]
    element = np.arange(elements)[None, None, :, None, None, None]
    within = np.arange(0, inner, _INPUT_UNIT)[None, None, None, :, None, None]
    own = np.arange(unit)[None, None, None, None, :, None]
    lane = np.arange(step)[None, None, None, None, None, :]
    channel, output = first + around + within + lane, start + units + own
    row, column = element // wide, element % wide
    flat = ((output * order.height + y + row) * order.width + x + column) * order.inputs + channel
    real = (channel < order.inputs) & (output < order.outputs) & (row < high)
    end = order.outputs * order.height * order.width * order.inputs
    return np.where(real, flat, end).reshape(-1)


@dataclass(frozen=True, eq=False)
class Scales:
    """Of each channel: int64[channels]."""

    bias: Int64
    scale: Int64
    shift: Int64

    @classmethod
    def of(cls, records: bytes, channels: int) -> Scales:
        """From their records.

        Raises:
            NpuModelError: there are fewer than channels.
        """
        if len(records) < channels * RECORD:
            raise NpuModelError(f"{len(records):,} bytes of scales for {channels} channels")
        raw = np.frombuffer(records, np.uint8, channels * RECORD).reshape(channels, RECORD).astype(np.int64)
        bias = sum(raw[:, at] << 8 * at for at in range(5))
        scale = sum(raw[:, 5 + at] << 8 * at for at in range(4))
        return cls(np.where(bias >> 39 & 1, bias - (1 << 40), bias), np.asarray(scale), raw[:, 9] & 63)

    @classmethod
    def joined(cls, cores: Sequence[Scales]) -> Scales:
        """Of cores that take turns at the channels of a layer."""
        return cls(*(taking_turns([getattr(core, name) for core in cores]) for name in ("bias", "scale", "shift")))


def taking_turns(cores: Sequence[Int64]) -> Int64:
    """What cores have of the channels, which is the first dimension, as one: core k of n has channels k, k + n, ..."""
    if len(cores) == 1:
        return cores[0]
    found = np.zeros((sum(len(core) for core in cores), *cores[0].shape[1:]), np.int64)
    for number, core in enumerate(cores):
        found[number :: len(cores)] = core
    return found
