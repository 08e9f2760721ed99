# SPDX-License-Identifier: Apache-2.0
"""Variants for Arm cores with the DSP extension (Cortex-M4, M7, M33).

Costs are cycles of a Cortex-M4 without wait states by the timing in its manual (DDI 0439, 3.3.1): a load takes two, one
behind another load; of many words one more than there are words; a branch that is taken three; products one.
"""

from __future__ import annotations

from collections.abc import Iterable

from dimmer.firmware_gen.kernels.dsp import (
    ADD_DSP,
    CONV_2D_ADD_DSP,
    CONV_2D_ADD_F43_DSP,
    CONV_2D_DSP,
    CONV_2D_F43_DSP,
    DEPTHWISE_CONV_2D_DSP,
)
from dimmer.firmware_gen.kernels.fused import CONV_2D_ADD
from dimmer.firmware_gen.kernels.portable import ADD, CONV_2D, DEPTHWISE_CONV_2D
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.add_linear import linear_settings
from dimmer.firmware_gen.variants.conv import (
    ConvShape,
    eight_bits,
    largest_product_sum,
    largest_sum,
    number,
    shape_of,
    shifts_of,
    sum_elements,
)
from dimmer.firmware_gen.variants.frame import Settings, Variant
from dimmer.firmware_gen.variants.sliced import with_slices

_DSP = frozenset({"dsp"})
_HEAD_AND_TAIL = 8
"""Words of a panel of two channels beside its weights."""


def rescales_in_five(step: Step) -> bool:
    """Whether the short requantisation of `direct_dsp.c` is exact: shifts to the right, sums below 2^30."""
    return all(-22 <= shift <= -1 for shift in shifts_of(step)) and largest_sum(step) < 2**30


def _groups(shape: ConvShape) -> int:
    """Groups of four products of one output."""
    return -(-shape.kernel_w * shape.input_c // 4) * shape.kernel_h


def _direct_supports(step: Step) -> bool:
    return number(step, "batches") == 1 and rescales_in_five(step)


def _slicing(step: Step) -> float:
    """Cycles of making slices of all weights, for the kernels that do."""
    shape = shape_of(step)
    sizes = shape.output_c * shape.kernel_h * shape.kernel_w * shape.input_c
    return 0 if eight_bits(step) else 4 * sizes


def _direct_settings(step: Step) -> Iterable[Settings]:
    """All channels in one pass, or an even part of them in each."""
    channels = shape_of(step).output_c
    sizes = {channels}
    passes = 2
    while channels // passes >= 2:
        sizes.add((-(-channels // passes) + 1) // 2 * 2)
        passes += 1
    return [{"group": size} for size in sorted(sizes)]


def _direct_scratch(step: Step, settings: Settings) -> int:
    shape = shape_of(step)
    pairs = (_setting(settings, "group") + 1) // 2
    words = pairs * (4 * _groups(shape) + _HEAD_AND_TAIL) + 4 * _groups(shape)
    return 4 * words + 4 * pairs + 2 * shape.kernel_w * shape.input_c


def _direct_cost(step: Step, settings: Settings) -> float:
    shape = shape_of(step)
    group = _setting(settings, "group")
    passes = -(-shape.output_c // group)
    tiles = -(-shape.pixels // 2)
    pairs = sum((min(group, shape.output_c - first) + 1) // 2 for first in range(0, shape.output_c, group))
    groups = _groups(shape)
    inner = tiles * pairs * (groups * 18 + (groups + 7) // 8 * 6 + 56)
    widen = tiles * passes * (groups * 14 + shape.kernel_h * 110 + 170)
    panels = pairs * (groups * 14 + 170)
    return inner + widen + panels + _slicing(step) + 300


def _setting(settings: Settings, name: str) -> int:
    value = settings[name]
    assert isinstance(value, int)
    return value


def _winograd_supports(step: Step) -> bool:
    shape = shape_of(step)
    plain = shape.kernel_w == 3 and shape.stride_w == shape.dilation_h == shape.dilation_w == 1
    even = shape.input_c % 4 == 0 and shape.output_c % 2 == 0
    return plain and even and _direct_supports(step) and largest_product_sum(step) < 2**28


def _winograd_settings(step: Step) -> Iterable[Settings]:
    """Every even part of the channels, and every part of the rows that needs fewer strips than the next smaller."""
    shape = shape_of(step)
    groups = {(-(-shape.output_c // passes) + 1) // 2 * 2 for passes in range(1, shape.output_c // 2 + 1)}
    strips = {-(-shape.output_h // count) for count in range(1, shape.output_h + 1)}
    return [{"group": group, "strip": strip} for group in sorted(groups) for strip in sorted(strips)]


def _winograd_scratch(step: Step, settings: Settings) -> int:
    shape, group, strip = shape_of(step), _setting(settings, "group"), _setting(settings, "strip")
    rows = (strip - 1) * shape.stride_h + shape.kernel_h
    panel = group // 2 * (24 * shape.kernel_h * shape.input_c + 32)
    tiles = 24 * -(-shape.output_w // 8) * rows * shape.input_c
    return panel + tiles + 6 * shape.input_c + 8 * group


def _winograd_cost(step: Step, settings: Settings) -> float:
    shape, group, strip = shape_of(step), _setting(settings, "group"), _setting(settings, "strip")
    rows = (strip - 1) * shape.stride_h + shape.kernel_h
    passes = -(-shape.output_c // group)
    tile_pairs = -(-shape.output_w // 8)
    groups = shape.kernel_h * shape.input_c // 4
    point = groups * 18 + (groups + 7) // 8 * 6 + 28
    inner = shape.output_h * tile_pairs * (shape.output_c // 2 * (6 * point + 275) + passes * 130)
    strips = -(-shape.output_h // strip)
    fills = strips * (1 if strips == 1 else passes)
    transform = fills * rows * tile_pairs * 2 * (shape.input_c // 4 * 125 + 75)
    return inner + transform + shape.output_c * (groups * 85 + 140) + _slicing(step) + passes * 140 + 300


def _winograd_add_supports(step: Step) -> bool:
    return _winograd_supports(step) and sum_supports(step, "add_")


def _winograd_add_scratch(step: Step, settings: Settings) -> int:
    return _winograd_scratch(step, settings) + sum_scratch(settings)


def _winograd_add_cost(step: Step, settings: Settings) -> float:
    shape = shape_of(step)
    passes = -(-shape.output_c // _setting(settings, "group"))
    return _winograd_cost(step, settings) + sum_cost(step, settings) + 100 * shape.pixels * passes


def _depthwise_supports(step: Step) -> bool:
    plain = number(step, "batches") == number(step, "depth_multiplier") == 1
    return plain and shape_of(step).input_c % 4 == 0 and eight_bits(step) and rescales_in_five(step)


def _depthwise_taps(step: Step) -> int:
    shape = shape_of(step)
    return -(-shape.kernel_h * shape.kernel_w // 9) * 9


def _depthwise_scratch(step: Step, _settings: Settings) -> int:
    taps = _depthwise_taps(step)
    return shape_of(step).input_c * (2 * taps + 17) + 4 * taps


def _depthwise_cost(step: Step, _settings: Settings) -> float:
    shape, taps = shape_of(step), _depthwise_taps(step)
    quads = shape.input_c // 4
    return shape.pixels * (quads * (taps * 13 + 52) + 105) + quads * (taps * 17 + 120)


def sum_supports(step: Step, prefix: str = "") -> bool:
    """Whether an addition has no broadcast and no constant, and a shift that its kernels take."""

    def value(name: str) -> int:
        return number(step, prefix + name)

    flat = not (value("broadcast1") or value("broadcast2") or value("input1_blob") or value("input2_blob"))
    return flat and -22 <= value("shift_output") <= -1


SUM_TABLES = 2048
"""Bytes of the tables of an addition."""


def sum_scratch(settings: Settings) -> int:
    """Bytes that an addition takes with these settings."""
    return 0 if _is_linear(settings) else SUM_TABLES


def _is_linear(settings: Settings) -> bool:
    return 0 in (settings.get("left_shift"), settings.get("add_left_shift"))


def sum_cost(step: Step, settings: Settings) -> float:
    """Cycles of an addition."""
    if _is_linear(settings):
        return 9 * sum_elements(step) + 300
    return 17 * sum_elements(step) + 18000


def _sum_settings(step: Step) -> Iterable[Settings]:
    return [linear_settings(step)]


def _winograd_add_settings(step: Step) -> Iterable[Settings]:
    linear = linear_settings(step, "add_")
    return [{**settings, **linear} for settings in _winograd_settings(step)]


def _direct_add_settings(step: Step) -> Iterable[Settings]:
    linear = linear_settings(step, "add_")
    return [{**settings, **linear} for settings in _direct_settings(step)]


def _direct_add_supports(step: Step) -> bool:
    return _direct_supports(step) and sum_supports(step, "add_")


def _direct_add_scratch(step: Step, settings: Settings) -> int:
    return _direct_scratch(step, settings) + sum_scratch(settings)


def _direct_add_cost(step: Step, settings: Settings) -> float:
    return _direct_cost(step, settings) + sum_cost(step, settings) + 60 * shape_of(step).pixels


VARIANTS = with_slices(
    (
        Variant(CONV_2D_DSP, CONV_2D, _DSP, _direct_cost, _direct_supports, _direct_settings, _direct_scratch),
        Variant(
            CONV_2D_ADD_DSP,
            CONV_2D_ADD,
            _DSP,
            _direct_add_cost,
            _direct_add_supports,
            _direct_add_settings,
            _direct_add_scratch,
        ),
        Variant(
            CONV_2D_F43_DSP, CONV_2D, _DSP, _winograd_cost, _winograd_supports, _winograd_settings, _winograd_scratch
        ),
        Variant(
            CONV_2D_ADD_F43_DSP,
            CONV_2D_ADD,
            _DSP,
            _winograd_add_cost,
            _winograd_add_supports,
            _winograd_add_settings,
            _winograd_add_scratch,
        ),
        Variant(
            DEPTHWISE_CONV_2D_DSP,
            DEPTHWISE_CONV_2D,
            _DSP,
            _depthwise_cost,
            _depthwise_supports,
            scratch=_depthwise_scratch,
        ),
        Variant(
            ADD_DSP,
            ADD,
            _DSP,
            sum_cost,
            sum_supports,
            settings=_sum_settings,
            scratch=lambda _step, settings: sum_scratch(settings),
        ),
    )
)
