# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D with a kernel of 3x3 for Arm cores with the DSP extension: words of two columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dimmer.firmware_gen.kernels.dsp import DEPTHWISE_CONV_2D_3X3_DSP
from dimmer.firmware_gen.kernels.portable import DEPTHWISE_CONV_2D
from dimmer.firmware_gen.lower.steps import Params, Step
from dimmer.firmware_gen.variants.conv import eight_bits, largest_sum, number, shape_of
from dimmer.firmware_gen.variants.frame import Settings, Variant
from dimmer.firmware_gen.variants.rounding import LARGEST, SCALE, rescales_of

DOWN = 10
_CONSTANTS = 128
_MOST_ROWS = 16
"""Rows of a strip, at most: more save less than a fiftieth."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A layer as the kernel sees it: rows of outputs, which are columns where it is transposed."""

    output: int
    stride: int
    pad: int
    rows: int
    row_stride: int

    @property
    def possible(self) -> bool:
        """Whether the kernel takes it."""
        return self.stride <= 2 and self.pad <= 1

    @property
    def pairs(self) -> int:
        """Words of a row."""
        return (self.output + 1) // 2 * self.stride + 1

    def filled(self, rows: int) -> int:
        """Rows of inputs under rows of outputs."""
        return (rows - 1) * self.row_stride + 3


def plane_of(step: Step, transposed: bool) -> Plane:
    """The shape of a step's planes."""
    shape = shape_of(step)
    if transposed:
        return Plane(shape.output_h, shape.stride_h, shape.pad_top, shape.output_w, shape.stride_w)
    return Plane(shape.output_w, shape.stride_w, shape.pad_left, shape.output_h, shape.stride_h)


def _supports(step: Step) -> bool:
    shape = shape_of(step)
    window = (shape.kernel_h, shape.kernel_w, shape.dilation_h, shape.dilation_w)
    plain = number(step, "batches") == number(step, "depth_multiplier") == 1 and eight_bits(step)
    possible = any(plane_of(step, transposed).possible for transposed in (False, True))
    fits = window == (3, 3, 1, 1) and possible and shape.input_c % 4 == 0
    return plain and fits and largest_sum(step) <= LARGEST and rescales_of(step, DOWN, one_rounding=True) is not None


def _settings(step: Step) -> Iterator[Settings]:
    """Every part of the rows that needs fewer strips than the next smaller."""
    found, bias = rescales_of(step, DOWN, one_rounding=True), step.fields["bias"]
    assert isinstance(bias, Params)
    if found is None:
        return
    offsets = Params(tuple(SCALE * value + r.offset for value, r in zip(bias.values, found, strict=True)))
    multipliers = Params(tuple(r.multiplier for r in found))
    for transposed in (False, True):
        plane = plane_of(step, transposed)
        if not plane.possible:
            continue
        strips = sorted({-(-plane.rows // count) for count in range(1, plane.rows + 1)})
        for strip in strips:
            if strip <= _MOST_ROWS:
                yield {
                    "bias": offsets,
                    "multipliers": multipliers,
                    "shifts": 0,
                    "strip": strip,
                    "transposed": int(transposed),
                }


def _plane_and_strip(step: Step, settings: Settings) -> tuple[Plane, int]:
    strip = settings["strip"]
    assert isinstance(strip, int)
    return plane_of(step, bool(settings["transposed"])), strip


def _scratch(step: Step, settings: Settings) -> int:
    plane, strip = _plane_and_strip(step, settings)
    return _CONSTANTS + 16 * plane.pairs * plane.filled(strip)


def _cost(step: Step, settings: Settings) -> float:
    plane, strip = _plane_and_strip(step, settings)
    whole, last = divmod(plane.rows, strip)
    filled = whole * plane.filled(strip) + (plane.filled(last) if last else 0)
    four, two = (69, 41) if plane.stride == 1 else (78, 47)
    row = plane.output // 4 * four + -(-(plane.output % 4) // 2) * two + 22
    fill = filled * (plane.pairs * 16 + 30) + (whole + (last > 0)) * 70 + 200
    return shape_of(step).input_c / 4 * (4 * plane.rows * row + fill)


VARIANTS = (
    Variant(
        DEPTHWISE_CONV_2D_3X3_DSP,
        DEPTHWISE_CONV_2D,
        frozenset({"dsp"}),
        _cost,
        _supports,
        _settings,
        _scratch,
    ),
)
