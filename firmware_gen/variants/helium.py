# SPDX-License-Identifier: Apache-2.0
"""Variants for Arm cores with Helium, the vector extension of Cortex-M55 and M85."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dimmer.firmware_gen.kernels.fused import CONV_2D_ADD, ENTRY_CONV_2D, ENTRY_CONV_2D_ADD
from dimmer.firmware_gen.kernels.helium import (
    ADD_MVE,
    AVERAGE_POOL_2D_MVE,
    CONV_2D_ADD_ENTRY_MVE,
    CONV_2D_ADD_MVE,
    CONV_2D_ENTRY_MVE,
    CONV_2D_MVE,
    DEPTHWISE_CONV_2D_MVE,
    FULLY_CONNECTED_MVE,
    MEAN_MVE,
)
from dimmer.firmware_gen.kernels.portable import ADD, AVERAGE_POOL_2D, CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, MEAN
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.conv import ConvShape, number, shape_of, shifts_of, sum_elements
from dimmer.firmware_gen.variants.frame import Settings, Variant

_MVE = frozenset({"mve"})
_PIXELS = 4
_BLOCK = 16
_KEPT = 16
"""Pixels whose results are added at a time."""
_SIDE = 4
"""Rows and columns of a window of a depthwise convolution, at most."""
_PAIR = 64
"""Bytes of a pair of channels in a panel beside its weights."""
_MOST_SHIFT = {4: 4, 2: 4}
"""Bits of sliced weights, all within -7..7 -> how far to the left they may be shifted as int8, not their sums."""
SUM_TABLE = 1024
_ENTRY_TABLE = 256
_LINEAR = (1 << 30, 0)
"""Multiplier and shift of the input of an ADD that is only shifted: the one with the larger scale."""


def _rounded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _depth(shape: ConvShape) -> int:
    return shape.kernel_h * shape.kernel_w * shape.input_c


def _has_entry(step: Step) -> bool:
    """Whether inputs go through a QUANTIZE first."""
    return "entry_multiplier" in step.fields


def _direct(step: Step) -> bool:
    """Whether the inputs of every pixel lie in one piece in the input, as they are multiplied."""
    shape = shape_of(step)
    inside = (shape.output_h - 1) * shape.stride_h < shape.input_h and (
        shape.output_w - 1
    ) * shape.stride_w < shape.input_w
    pointwise = (shape.kernel_h, shape.kernel_w, shape.pad_top, shape.pad_left) == (1, 1, 0, 0)
    return pointwise and inside and not _has_entry(step)


def _strip_bytes(shape: ConvShape) -> int:
    """The padded rows under a row of windows."""
    reach = (shape.output_w - 1) * shape.stride_w + (shape.kernel_w - 1) * shape.dilation_w + 1
    columns = max(reach, shape.pad_left + shape.input_w)
    return shape.kernel_h * -(-columns // shape.dilation_w) * shape.dilation_w * shape.input_c


def _strips(shape: ConvShape) -> int:
    """How many of them a tile may need."""
    return 1 if shape.output_w % _PIXELS == 0 else 2 + 2 // shape.output_w


def _conv_supports(step: Step) -> bool:
    shape = shape_of(step)
    most = _MOST_SHIFT.get(number(step, "weight_bits"), 0)
    plain = number(step, "batches") == 1 and all(-31 <= shift <= most for shift in shifts_of(step))
    plain &= -31 <= number(step, "entry_shift") <= 0
    reachable = _direct(step) or _by_columns(shape) or _strip_bytes(shape) < 2**16
    return plain and reachable and shape.output_c < 21845


def _by_columns(shape: ConvShape) -> bool:
    window = (shape.kernel_h, shape.kernel_w, shape.dilation_h, shape.dilation_w)
    whole = shape.input_c % _BLOCK == 0 and shape.output_w >= _PIXELS
    return window == (3, 3, 1, 1) and shape.stride_w in (1, 2) and whole


def _conv_settings(step: Step) -> Iterable[Settings]:
    """All channels in one pass, or an even part of them in each."""
    shape = shape_of(step)
    sizes = {shape.output_c} | {(-(-shape.output_c // passes) + 1) // 2 * 2 for passes in range(2, shape.output_c)}
    ways = (1,) if _by_columns(shape) else (0,)
    return [{"group": size, "columns": way} for size in sorted(sizes) for way in ways]


def _setting(settings: Settings, name: str) -> int:
    value = settings[name]
    assert isinstance(value, int)
    return value


def _conv_scratch(step: Step, settings: Settings) -> int:
    shape, depth = shape_of(step), _rounded(_depth(shape_of(step)))
    panel = (_setting(settings, "group") + 1) // 2 * (2 * depth + _PAIR) + _ENTRY_TABLE * _has_entry(step)
    if _setting(settings, "columns"):
        slices, wide = shape.input_c // _BLOCK, (shape.output_w - 1) * shape.stride_w + 3
        return panel + _rounded(12 * slices) + 64 * slices * max(wide, shape.pad_left + shape.input_w)
    if _direct(step):
        return panel + (4 * depth if shape.input_c % _BLOCK else 0)
    offsets = _rounded(2 * shape.input_w * shape.input_c)
    return panel + 4 * depth + offsets + _rounded(_strips(shape) * _strip_bytes(shape)) + _BLOCK


def _halves(step: Step) -> int:
    """Instructions of a tile for the halves of negative numbers, which do not matter above the zero point."""
    return 0 if number(step, "activation_min") >= number(step, "output_zero_point") else 4


def _run_tile(blocks: int) -> int:
    """Instructions of a pair of channels of four pixels."""
    if blocks == 1:
        return 27
    return 19 + 14 * blocks if blocks <= 8 else 24 + 14 * blocks + 2 * -(-blocks // 4)


def _conv_cost(step: Step, settings: Settings) -> float:
    shape, group = shape_of(step), _setting(settings, "group")
    blocks = _rounded(_depth(shape)) // _BLOCK
    entry = 800.0 if _has_entry(step) else 0.0
    passes = -(-shape.output_c // group)
    pairs = sum((min(group, shape.output_c - first) + 1) // 2 for first in range(0, shape.output_c, group))
    if _setting(settings, "columns"):
        slices = shape.input_c // _BLOCK
        tiles = shape.output_h * -(-shape.output_w // _PIXELS)
        row = 108 if shape.stride_w == 1 else 117
        pair = _halves(step) + (17 + row if slices == 1 else 20 + (row + 3) * slices)
        every = pairs * pair + passes * (20 + 7 * slices)
        copied = 6 if _has_entry(step) else 5
        rows = shape.input_h * slices * (copied * shape.input_w + 15) + shape.output_h * (90 + 20 * slices)
        return tiles * every + passes * rows + pairs * (8 * blocks + 50) + 400.0 + entry
    tiles = -(-shape.pixels // _PIXELS)
    tile: float = pairs * (_run_tile(blocks) + _halves(step)) + passes * 20
    passing = 0.0
    panel: float = pairs * (5 * blocks + (20 if _direct(step) and shape.input_c % _BLOCK == 0 else 70))
    if _direct(step):
        passing = passes * shape.output_h * (0.0 if shape.stride_w == 1 else 80.0)
    else:
        alone = shape.pixels if shape.dilation_w != 1 else shape.output_h * (shape.output_w % _PIXELS)
        element = 0.625 if _has_entry(step) else 0.5
        strip = 80 + shape.kernel_h * (element * shape.input_w * shape.input_c + 15)
        passing = passes * (strip * shape.output_h + 50 * alone + 8 * shape.input_w * shape.input_c)
        panel += 2 * pairs * (0.5 * _depth(shape) + 10) + passes * 8 * _depth(shape)
    return tiles * tile + passing + panel + 400 + entry


@dataclass(frozen=True, slots=True)
class _Direction:
    """One of the two directions of an image."""

    inputs: int
    outputs: int
    stride: int
    dilation: int
    pad: int
    taps: int


def _directions(shape: ConvShape, down: int) -> tuple[_Direction, _Direction]:
    """That in which windows of a turn are neighbours, and the other one."""
    flat = _Direction(shape.input_w, shape.output_w, shape.stride_w, shape.dilation_w, shape.pad_left, shape.kernel_w)
    upright = _Direction(shape.input_h, shape.output_h, shape.stride_h, shape.dilation_h, shape.pad_top, shape.kernel_h)
    return (upright, flat) if down else (flat, upright)


def _paired(shape: ConvShape) -> bool:
    """Whether a turn does two rows."""
    steps = (shape.stride_h, shape.stride_w, shape.dilation_h, shape.dilation_w)
    return steps == (1, 1, 1, 1) and max(shape.kernel_h, shape.kernel_w) <= 3


def _width(along: _Direction, paired: bool) -> int:
    reach = _SIDE - 1 if paired else (_SIDE - 1) * along.dilation + 1
    return max((max(along.outputs, _SIDE) - 1) * along.stride + reach, along.pad + along.inputs)


def _depthwise_supports(step: Step) -> bool:
    shape = shape_of(step)
    plain = number(step, "batches") == number(step, "depth_multiplier") == 1
    small = max(shape.kernel_h, shape.kernel_w) <= _SIDE
    near = (3 * shape.output_w + 1) * shape.input_c < 2**16
    return plain and small and near and all(-31 <= shift <= -1 for shift in shifts_of(step))


def _depthwise_settings(step: Step) -> Iterable[Settings]:
    channels = shape_of(step).input_c
    sizes = {channels} | set(range(_BLOCK, channels, _BLOCK))
    return [{"group": size, "down": down} for size in sorted(sizes) for down in (0, 1)]


def _depthwise_scratch(step: Step, settings: Settings) -> int:
    shape = shape_of(step)
    along, _ = _directions(shape, _setting(settings, "down"))
    paired = _paired(shape)
    return 16 + _rounded(_setting(settings, "group")) * (24 + (40 if paired else 16) + 4 * _width(along, paired))


def _depthwise_cost(step: Step, settings: Settings) -> float:
    shape, group = shape_of(step), _setting(settings, "group")
    along, across = _directions(shape, _setting(settings, "down"))
    passes = -(-shape.input_c // group)
    paired = _paired(shape)
    rows = -(-across.outputs // 2) if paired else across.outputs
    turns = rows * -(-along.outputs // _SIDE)
    halves = _halves(step)
    turn = (32 + halves) * shape.input_c if paired else (37 + halves) * -(-shape.input_c // 2)
    blocks = sum(_rounded(min(group, shape.input_c - first)) // _BLOCK for first in range(0, shape.input_c, group))
    columns = blocks * rows * ((14 if shape.input_c % _BLOCK == 0 else 15) * along.inputs + 80)
    weights = shape.input_c * (9 + (1.0 if paired else 0.8) * shape.kernel_h * shape.kernel_w)
    return turns * (turn + 30 * passes) + columns + weights + passes * 300 + 300


def _sum_supports(step: Step, prefix: str = "") -> bool:
    def value(name: str) -> int:
        return number(step, prefix + name)

    flat = not (value("broadcast1") or value("broadcast2") or value("input1_blob") or value("input2_blob"))
    linear = _LINEAR in ((value("multiplier1"), value("shift1")), (value("multiplier2"), value("shift2")))
    return flat and linear and value("left_shift") == 20 and -31 <= value("shift_output") <= -1


def _sum_cost(step: Step, _settings: Settings) -> float:
    return 2.6 * sum_elements(step) + 900


def _conv_add_cost(step: Step, settings: Settings) -> float:
    shape = shape_of(step)
    calls = shape.pixels / _KEPT if _setting(settings, "group") == shape.output_c else shape.pixels
    passes = -(-shape.output_c // _setting(settings, "group"))
    return _conv_cost(step, settings) + _sum_cost(step, {}) + calls * passes * 60


def _fully_connected_cost(step: Step, _settings: Settings) -> float:
    depth, channels = number(step, "input_c"), number(step, "output_c")
    return number(step, "rows") * -(-channels // 4) * (10.0 * -(-depth // _BLOCK) + 80) + 60


def _pool_supports(step: Step) -> bool:
    return number(step, "window_h") * number(step, "window_w") <= 256


def _pool_cost(step: Step, _settings: Settings) -> float:
    window = number(step, "window_h") * number(step, "window_w")
    outputs = number(step, "output_h") * number(step, "output_w")
    return outputs * -(-number(step, "channels") // 8) * (6.0 * window + 60)


def _mean_cost(step: Step, _settings: Settings) -> float:
    turns = number(step, "outer") * -(-number(step, "inner") // 4)
    return turns * (6.0 * number(step, "reduce1") + 40)


def _conv_add_supports(step: Step) -> bool:
    return _conv_supports(step) and _sum_supports(step, "add_")


def _conv_add_scratch(step: Step, settings: Settings) -> int:
    return _conv_scratch(step, settings) + SUM_TABLE + _rounded(_KEPT * _setting(settings, "group"))


_CONV = (_conv_cost, _conv_supports, _conv_settings, _conv_scratch)
_CONV_ADD = (_conv_add_cost, _conv_add_supports, _conv_settings, _conv_add_scratch)
VARIANTS = (
    Variant(CONV_2D_MVE, CONV_2D, _MVE, *_CONV),
    Variant(CONV_2D_ENTRY_MVE, ENTRY_CONV_2D, _MVE, *_CONV),
    Variant(CONV_2D_ADD_MVE, CONV_2D_ADD, _MVE, *_CONV_ADD),
    Variant(CONV_2D_ADD_ENTRY_MVE, ENTRY_CONV_2D_ADD, _MVE, *_CONV_ADD),
    Variant(
        DEPTHWISE_CONV_2D_MVE,
        DEPTHWISE_CONV_2D,
        _MVE,
        _depthwise_cost,
        _depthwise_supports,
        _depthwise_settings,
        _depthwise_scratch,
    ),
    Variant(FULLY_CONNECTED_MVE, FULLY_CONNECTED, _MVE, _fully_connected_cost),
    Variant(AVERAGE_POOL_2D_MVE, AVERAGE_POOL_2D, _MVE, _pool_cost, _pool_supports),
    Variant(MEAN_MVE, MEAN, _MVE, _mean_cost, lambda step: number(step, "reduce2") == 1),
    Variant(ADD_MVE, ADD, _MVE, _sum_cost, _sum_supports, scratch=lambda _step, _settings: SUM_TABLE),
)
