# SPDX-License-Identifier: Apache-2.0
"""What the NPU computes: convolutions, pools, elementwise operations, each from its registers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dimmer.firmware_gen.npu.stream import Registers, signed16
from dimmer.pipeline.verification.npu.arithmetic import count_leading_zeros, rescale
from dimmer.pipeline.verification.npu.errors import NpuModelError
from dimmer.pipeline.verification.npu.memory import Memory
from dimmer.pipeline.verification.npu.weights import Order, Scales, decode, taking_turns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]

MAX_POOL, AVERAGE_POOL, REDUCE_SUM = 0, 1, 2
MUL, ADD, SUB, MINIMUM, MAXIMUM, LEAKY_RELU, ABS, CLZ, SHR, SHL = range(10)
_UNARY = (LEAKY_RELU, ABS, CLZ)
_NEAREST, _ZEROS = 1, 2
_TABLES = 16
_decoded = lru_cache(maxsize=512)(decode)


@dataclass(frozen=True)
class Window:
    """A kernel's window over the input.

    Attributes:
        height, width: in elements, without what dilation skips.
        step_y, step_x: strides.
        apart_y, apart_x: dilation.
    """

    height: int
    width: int
    step_y: int
    step_x: int
    apart_y: int
    apart_x: int
    part_kernel: bool

    @classmethod
    def of(cls, held: Registers) -> Window:
        """From the kernel's registers."""
        bits = held["KERNEL_STRIDE"]
        apart_x, apart_y = 1 + (bits >> 3 & 1), 1 + (bits >> 4 & 1)
        high, wide = held["KERNEL_HEIGHT_M1"], held["KERNEL_WIDTH_M1"]
        if high % apart_y or wide % apart_x or high * wide > 1 << 16:
            raise NpuModelError("a kernel's size does not fit its dilation: compile the model again")
        return cls(
            height=high // apart_y + 1,
            width=wide // apart_x + 1,
            step_y=1 + (bits >> 1 & 1) + 2 * (bits >> 9 & 7),
            step_x=1 + (bits & 1) + 2 * (bits >> 6 & 7),
            apart_y=apart_y,
            apart_x=apart_x,
            part_kernel=bool(bits >> 2 & 1),
        )


def output_shape(held: Registers) -> tuple[int, int, int]:
    """H, W, C of the output."""
    return held["OFM_HEIGHT_M1"] + 1, held["OFM_WIDTH_M1"] + 1, held["OFM_DEPTH_M1"] + 1


def convolve(memory: Memory, held: Registers, macs: int, depthwise: bool) -> None:
    """CONV, DEPTHWISE."""
    height, width, outputs = output_shape(held)
    window, inputs = Window.of(held), held["IFM_DEPTH_M1"] + 1
    if depthwise and inputs != outputs:
        raise NpuModelError(f"a depthwise convolution of {inputs} channels to {outputs}: compile the model again")
    weights, scales = _kernel(memory, held, window, 1 if depthwise else inputs, macs, depthwise)
    padded = _padded(memory, held, window, (height, width, inputs), 0)
    total = np.zeros((padded.shape[0], height, width, outputs))
    for y in range(window.height):
        for x in range(window.width):
            seen = _seen(padded, window, (height, width), y, x).astype(np.float64)
            taken = weights[:, y, x, :].astype(np.float64)
            # Sums of products stay far below 2^53, where floats are whole numbers.
            total += seen * taken[:, 0] if depthwise else seen @ taken.T
    values = total.astype(np.int64) + scales.bias
    rounding = held["OFM_PRECISION"] >> 14 & 3
    _store(memory, held, rescale(values, scales.scale, scales.shift, rounding))


def _kernel(
    memory: Memory, held: Registers, window: Window, inputs: int, macs: int, depthwise: bool
) -> tuple[Int64, Scales]:
    cores = 1 + held.get("PARALLEL_MODE", 0)
    outputs, block = held["OFM_DEPTH_M1"] + 1, held["OFM_BLK_DEPTH_M1"] + 1
    if cores > 2:
        raise NpuModelError(f"{cores} cores: Ethos-U65 has two at most")
    weights, scales = [], []
    for core, suffix in zip(range(min(cores, outputs)), ("", "1"), strict=False):
        own = -(-(outputs - core) // cores)
        order = Order(
            own,
            window.height,
            window.width,
            inputs,
            max((block + cores - 1 - core) // cores, 1),
            macs // cores,
            depthwise,
            window.part_kernel,
            8 // window.apart_y,
            8 // window.apart_x,
        )
        stream = memory.constant(held["WEIGHT_REGION"], held[f"WEIGHT{suffix}_BASE"], held[f"WEIGHT{suffix}_LENGTH"])
        records = memory.constant(held["SCALE_REGION"], held[f"SCALE{suffix}_BASE"], held[f"SCALE{suffix}_LENGTH"])
        weights.append(_decoded(stream, order))
        scales.append(Scales.of(records, own))
    return taking_turns(weights), Scales.joined(scales)


def _padded(memory: Memory, held: Registers, window: Window, shape: tuple[int, int, int], outside: int) -> Int64:
    """The input with its margins, which hold `outside`, up to where the last window ends."""
    height, width, depth = shape
    top, left, bottom, right = (held[f"IFM_PAD_{side}"] for side in ("TOP", "LEFT", "BOTTOM", "RIGHT"))
    reach_y = (height - 1) * window.step_y + (window.height - 1) * window.apart_y + 1
    reach_x = (width - 1) * window.step_x + (window.width - 1) * window.apart_x + 1
    rows, columns = reach_y - top - bottom, reach_x - left - right
    if rows <= 0 or columns <= 0:
        raise NpuModelError("an input that is all margin: compile the model again")
    upscale = held["IFM_UPSCALE"]
    if upscale:
        small = memory.read("IFM", held, (-(-rows // 2), -(-columns // 2), depth))
        if upscale == _NEAREST:
            found = small.repeat(2, axis=1).repeat(2, axis=2)
        elif upscale == _ZEROS:
            found = np.zeros((small.shape[0], 2 * small.shape[1], 2 * small.shape[2], depth), np.int64)
            found[:, ::2, ::2] = small
        else:
            raise NpuModelError(f"the upscaling {upscale} is none of Ethos-U's")
        found = found[:, :rows, :columns]
    else:
        found = memory.read("IFM", held, (rows, columns, depth))
    if not (top or left or bottom or right):
        return found
    return np.pad(found, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=outside)


def _seen(padded: Int64, window: Window, size: tuple[int, int], y: int, x: int) -> Int64:
    """What one element of the kernel meets at every output."""
    top, left = y * window.apart_y, x * window.apart_x
    rows = slice(top, top + (size[0] - 1) * window.step_y + 1, window.step_y)
    columns = slice(left, left + (size[1] - 1) * window.step_x + 1, window.step_x)
    return padded[:, rows, columns]


def pool(memory: Memory, held: Registers, kind: int) -> None:
    """POOL."""
    height, width, depth = output_shape(held)
    window, rounding = Window.of(held), held["OFM_PRECISION"] >> 14 & 3
    every = [(y, x) for y in range(window.height) for x in range(window.width)]
    if kind == REDUCE_SUM:
        depth = held["IFM_DEPTH_M1"] + 1
    if kind == MAX_POOL:
        padded = _padded(memory, held, window, (height, width, depth), -(1 << 40))
        best = np.maximum.reduce([_seen(padded, window, (height, width), y, x) for y, x in every])
        _store(memory, held, best)
        return
    padded = _padded(memory, held, window, (height, width, depth), 0)
    if kind == AVERAGE_POOL:
        total = np.asarray(sum(_seen(padded, window, (height, width), y, x) for y, x in every))
    elif kind == REDUCE_SUM:
        total = padded.sum(axis=3, keepdims=True)[:, :height, :width]
    else:
        raise NpuModelError(f"the pool {kind} is none of Ethos-U's")
    if held["OFM_PRECISION"] >> 8 & 1 and not any(sum(_margins(held), ())):
        _store(memory, held, rescale(total, held["OFM_SCALE"], held["OFM_SCALE#"], rounding))
        return
    # With margins the NPU divides by itself, by how many lie within the input.
    ones = np.pad(np.ones((1, *_inner(held, padded), 1), np.int64), ((0, 0), *_margins(held), (0, 0)))
    count = np.asarray(sum(_seen(ones, window, (height, width), y, x) for y, x in every))
    _store(memory, held, np.sign(total) * ((np.abs(total) + count // 2) // count))


def _margins(held: Registers) -> tuple[tuple[int, int], tuple[int, int]]:
    return (held["IFM_PAD_TOP"], held["IFM_PAD_BOTTOM"]), (held["IFM_PAD_LEFT"], held["IFM_PAD_RIGHT"])


def _inner(held: Registers, padded: Int64) -> tuple[int, int]:
    (top, bottom), (left, right) = _margins(held)
    return padded.shape[1] - top - bottom, padded.shape[2] - left - right


def elementwise(memory: Memory, held: Registers, kind: int) -> None:
    """ELEMENTWISE."""
    shape, rounding = output_shape(held), held["OFM_PRECISION"] >> 14 & 3
    first = memory.read("IFM", held, shape)
    if kind in _UNARY:
        _store(memory, held, _unary(held, first, kind, rounding))
        return
    second = _second(memory, held, shape)
    if held["IFM2_BROADCAST"] >> 6 & 1:
        first, second = second, first
    if kind == MUL:
        wide = held["IFM_PRECISION"] >> 2 & 3 == 2 and held["IFM2_PRECISION"] >> 2 & 3 == 2
        # A product of numbers of 32 bits is shifted, and not scaled besides.
        found = rescale(first * second, 1 if wide else held["OFM_SCALE"], held["OFM_SCALE#"], rounding)
    elif kind in (ADD, SUB):
        found = _sum(held, first, second, kind == SUB, rounding)
    elif kind == MINIMUM:
        found = np.minimum(first, second)
    elif kind == MAXIMUM:
        found = np.maximum(first, second)
    elif kind == SHR:
        by = np.clip(second, 0, 63)
        half = np.where(by > 0, np.int64(1) << np.maximum(by - 1, 0), 0)
        # Rounded up at halves, as the NPU does where nothing else is said.
        found = (first + half) >> by if rounding != 1 else first >> by
    elif kind == SHL:
        found = first << np.clip(second, 0, 31)
    else:
        raise NpuModelError(f"the elementwise operation {kind} is none of Ethos-U's")
    _store(memory, held, np.broadcast_to(found, (found.shape[0], *shape)))


def _second(memory: Memory, held: Registers, shape: tuple[int, int, int]) -> Int64:
    broadcast = held["IFM2_BROADCAST"]
    if broadcast >> 7 & 1:
        scalar = signed16(held["IFM2_SCALAR"]) - signed16(held["IFM2_ZERO_POINT"])
        return np.full((1, 1, 1, 1), scalar, np.int64)
    height, width, depth = (1 if broadcast >> at & 1 else size for at, size in enumerate(shape))
    return memory.read("IFM2", held, (height, width, depth))


def _unary(held: Registers, values: Int64, kind: int, rounding: int) -> Int64:
    if kind == CLZ:
        return count_leading_zeros(values)
    scaled = rescale(np.abs(values) if kind == ABS else values, held["OFM_SCALE"], held["OFM_SCALE#"], rounding)
    return scaled if kind == ABS else np.where(values >= 0, values, scaled)


def _sum(held: Registers, first: Int64, second: Int64, negative: bool, rounding: int) -> Int64:
    """ADD, SUB: both scaled by 16 bits, or one of them by 32 with a shift of its own and the other shifted."""
    which = held["IFM_PRECISION"] >> 8 & 3
    if which == 0:
        first, second = first * held["OPA_SCALE"], second * held["OPB_SCALE"]
    elif which in (1, 2):
        scale, shift = held["OPA_SCALE"], held["OPA_SCALE#"]
        if which == 1:
            first, second = rescale(first << 20, scale, shift + 20, 0), second << 19
        else:
            first, second = first << 19, rescale(second << 20, scale, shift + 20, 0)
    else:
        raise NpuModelError("both operands of a sum are scaled by 32 bits: no Ethos-U does that")
    total = first - second if negative else first + second
    if not held["OFM_PRECISION"] >> 8 & 1:
        return total
    return rescale(total, held["OFM_SCALE"], held["OFM_SCALE#"], rounding)


def _store(memory: Memory, held: Registers, values: Int64) -> None:
    """Zero point, bounds and table, then the output's memory."""
    precision, activation = held["OFM_PRECISION"], held["ACTIVATION"]
    size = 1 << (precision >> 1 & 3)
    function = activation & 0x1F
    found = values + signed16(held["OFM_ZERO_POINT"])
    low, high = held["ACTIVATION_MIN"], held["ACTIVATION_MAX"]
    if precision & 1:
        low, high = signed16(low), signed16(high)
    if size < 4 or function >= _TABLES:
        found = np.clip(found, low, high)
    elif size == 4:
        found = np.clip(found, -(1 << 31), (1 << 31) - 1)
    if function:
        found = _looked_up(memory, found, function, size, bool(precision & 1))
    memory.write(held, found)


def _looked_up(memory: Memory, values: Int64, function: int, size: int, signed: bool) -> Int64:
    if not _TABLES <= function < _TABLES + 8:
        raise NpuModelError(f"the activation {function} is none that the model of the NPU knows")
    start = (function - _TABLES) * 256
    kind = {1: np.int8 if signed else np.uint8, 2: np.int16, 4: np.int32}[size]
    if start + 256 * size > len(memory.tables):
        raise NpuModelError("a table reaches over the end of the NPU's tables")
    table = memory.tables[start : start + 256 * size].view(kind)
    index = values + 128 if signed else values
    if index.min() < 0 or index.max() > 255:
        raise NpuModelError("a value lies outside of its table")
    return table[index].astype(np.int64)
