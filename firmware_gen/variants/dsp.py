"""Variants for Arm cores with the DSP extension (Cortex-M4, M7, M33)."""

from __future__ import annotations

from collections.abc import Iterable

from firmware_gen.kernels import CONV_2D, CONV_2D_DSP, Step
from firmware_gen.variants.conv import ConvShape, eight_bits, largest_sum, number, shape_of, shifts_of
from firmware_gen.variants.frame import Settings, Variant

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
    return number(step, "batches") == 1 and eight_bits(step) and rescales_in_five(step)


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
    pairs = (int(str(settings["group"])) + 1) // 2
    words = pairs * (4 * _groups(shape) + _HEAD_AND_TAIL) + 4 * _groups(shape)
    return 4 * words + 4 * pairs + 2 * shape.kernel_w * shape.input_c


def _direct_cost(step: Step, settings: Settings) -> float:
    shape = shape_of(step)
    group = int(str(settings["group"]))
    passes = -(-shape.output_c // group)
    tiles = -(-shape.pixels // 2)
    pairs = sum((min(group, shape.output_c - first) + 1) // 2 for first in range(0, shape.output_c, group))
    groups = _groups(shape)
    inner = tiles * pairs * (groups * 10 + (groups + 7) // 8 * 3 + 36)
    widen = tiles * passes * (groups * 8.5 + shape.kernel_h * 75 + 110)
    panels = pairs * (groups * 9 + 110)
    return inner + widen + panels + 300


VARIANTS = (Variant(CONV_2D_DSP, CONV_2D, _DSP, _direct_cost, _direct_supports, _direct_settings, _direct_scratch),)
