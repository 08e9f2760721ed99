# SPDX-License-Identifier: Apache-2.0
"""Variants for cores that multiply word by word: operands are widened to panels of int32, directly or for Winograd's
F(4x4,3x3). And ADD by tables, for any core.

The conditions under which their shorter arithmetic is exact are proven for each layer, from its weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from dimmer.firmware_gen.kernels.fused import CONV_2D_ADD
from dimmer.firmware_gen.kernels.portable import ADD, CONV_2D
from dimmer.firmware_gen.kernels.words import (
    ADD_TABLE,
    CONV_2D_ADD_WINOGRAD,
    CONV_2D_PAIRS,
    CONV_2D_PANEL,
    CONV_2D_WINOGRAD,
)
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.conv import (
    ConvShape,
    eight_bits,
    largest_product_sum,
    largest_sum,
    number,
    shape_of,
    shifts_of,
    sum_elements,
    weights_of,
)
from dimmer.firmware_gen.variants.frame import Settings, Variant

PIXELS = 4
"""That share a turn of the inner loop, panel.h."""
SIDE = 4
PLANES = 36
TABLES = 2048
SHIFTS = range(-22, 0)
"""That rescale.h is exact for."""


@dataclass(frozen=True, slots=True)
class _Costs:
    """Instructions, fitted from counts.

    Attributes:
        mac: of the inner loop.
        plane: around it, for each channel and four pixels.
        rescale: an output.
        gather: an input of a pixel.
        row: a row of the window of a pixel.
        widen: a weight.
        weights: transform of a channel's 3x3 weights.
        tile: transform of a channel's 6x6 inputs.
        back: transform of a channel's 4x4 outputs, rescaled.
        add: an output of ADD by tables.
        table: an entry of a table.
    """

    mac: float
    plane: float
    rescale: float
    gather: float
    row: float
    widen: float
    weights: float
    tile: float
    back: float
    add: float
    table: float


_THUMB2 = _Costs(1.36, 17, 10, 2.3, 85, 4, 230, 420, 680, 20, 30)
_PAIRS = _Costs(0.71, 25, 10, 1.6, 40, 4, 0, 0, 0, 0, 0)
"""Of Thumb-2 where two pixels share a word."""
_THUMB = _Costs(2.44, 22, 40, 2.8, 110, 5, 330, 560, 1600, 56, 90)
_RISCV = _Costs(3.5, 16, 24, 2.8, 60, 5, 300, 480, 850, 28, 30)


def _shift_fits(shifts: Iterable[int]) -> bool:
    return all(shift in SHIFTS for shift in shifts)


def _panel_supports(step: Step) -> bool:
    return eight_bits(step) and _shift_fits(shifts_of(step)) and largest_sum(step) < 2**30


def _length(shape: ConvShape) -> int:
    return -(-shape.kernel_h * shape.kernel_w * shape.input_c // 4) * 4


def _group(settings: Settings) -> int:
    return int(str(settings["group"]))


def _parts(channels: int) -> list[int]:
    """Channels of a pass: all, and parts of about one size, so that the last is not left with a channel or two."""
    return sorted({-(-channels // passes) for passes in range(1, channels + 1)})


def _panel_settings(step: Step) -> Iterable[Settings]:
    return [{"group": part} for part in _parts(shape_of(step).output_c)]


def _panel_scratch(step: Step, settings: Settings) -> int:
    shape, group = shape_of(step), _group(settings)
    return 16 * (shape.output_c + group) + 4 * _length(shape) * (PIXELS + group)


def _panel_cost(costs: _Costs, step: Step, settings: Settings) -> float:
    shape, length = shape_of(step), _length(shape_of(step))
    passes = -(-shape.output_c // _group(settings))
    inner = -(-shape.pixels // PIXELS) * shape.output_c * (PIXELS * length * costs.mac + costs.plane)
    gather = passes * shape.pixels * (length * costs.gather + shape.kernel_h * costs.row)
    return inner + gather + shape.output_c * (length * costs.widen + shape.pixels * costs.rescale)


def _pairs_supports(step: Step) -> bool:
    """Whether the sums of two pixels that share a word stay apart."""
    return _panel_supports(step) and largest_product_sum(step) < 2**22


def _pairs_scratch(step: Step, settings: Settings) -> int:
    shape, group = shape_of(step), _group(settings)
    return 16 * (shape.output_c + group) + 4 * _length(shape) * (PIXELS // 2 + group)


def _winograd_supports(step: Step) -> bool:
    shape = shape_of(step)
    window = (shape.kernel_h, shape.kernel_w, shape.stride_h, shape.stride_w, shape.dilation_h, shape.dilation_w)
    if window != (3, 3, 1, 1, 1, 1) or shape.input_c % 4 or not _panel_supports(step):
        return False
    sums = np.abs(weights_of(step)).reshape(shape.output_c, -1).sum(axis=1)
    return 128 * int(sums.max()) < 2**25


def _quads(shape: ConvShape) -> int:
    """How many times four tiles of 4x4 outputs there are."""
    return -(-(-(-shape.output_h // SIDE) * -(-shape.output_w // SIDE)) // PIXELS)


def _winograd_settings(step: Step) -> Iterable[Settings]:
    """All weights for four tiles at a time, or one channel's for as many tiles as there are, or part of them."""
    shape = shape_of(step)
    one = [{"group": 1, "strip": strip} for strip in _parts(_quads(shape))]
    return [{"group": shape.output_c, "strip": 1}, *one]


def _winograd_scratch(step: Step, settings: Settings) -> int:
    shape, strip = shape_of(step), int(str(settings["strip"]))
    first = max(4 * PLANES * PIXELS, PLANES * shape.input_c)
    return 16 * shape.output_c + first + 4 * PLANES * shape.input_c * (PIXELS * strip + _group(settings))


def _winograd_cost(costs: _Costs, step: Step, settings: Settings) -> float:
    shape, quads = shape_of(step), _quads(shape_of(step))
    times = 1 if _group(settings) == shape.output_c else -(-quads // int(str(settings["strip"])))
    tiles = -(-shape.output_h // SIDE) * -(-shape.output_w // SIDE)
    inner = quads * shape.output_c * PLANES * (PIXELS * shape.input_c * costs.mac + costs.plane)
    weights = times * shape.input_c * shape.output_c * costs.weights
    return inner + weights + tiles * (shape.input_c * costs.tile + shape.output_c * costs.back)


def sum_by_table(step: Step, prefix: str = "") -> bool:
    """Whether both inputs are whole and in the arena."""
    kinds = ("broadcast1", "broadcast2", "input1_blob", "input2_blob")
    return not any(number(step, prefix + name) for name in kinds) and number(step, f"{prefix}shift_output") in SHIFTS


def _table_cost(costs: _Costs, step: Step) -> float:
    return sum_elements(step) * costs.add + 512 * costs.table


def table_cost(feature: str, step: Step) -> float:
    """Instructions of an ADD by tables, alone or fused into the step, on an instruction set."""
    return _table_cost({"thumb": _THUMB, "thumb2": _THUMB2, "riscv": _RISCV}[feature], step)


def _winograd_add_supports(step: Step) -> bool:
    return _winograd_supports(step) and sum_by_table(step, "add_")


def _winograd_add_scratch(step: Step, settings: Settings) -> int:
    results = PIXELS * SIDE * SIDE * int(str(settings["strip"])) * shape_of(step).output_c
    return _winograd_scratch(step, settings) + TABLES + results


def _variants(feature: str, costs: _Costs) -> tuple[Variant, ...]:
    """Those of one instruction set."""
    words = frozenset({feature, "words"})
    return (
        Variant(
            CONV_2D_PANEL,
            CONV_2D,
            words,
            lambda step, settings: _panel_cost(costs, step, settings),
            _panel_supports,
            _panel_settings,
            _panel_scratch,
        ),
        Variant(
            CONV_2D_WINOGRAD,
            CONV_2D,
            words,
            lambda step, settings: _winograd_cost(costs, step, settings),
            _winograd_supports,
            _winograd_settings,
            _winograd_scratch,
        ),
        Variant(
            CONV_2D_ADD_WINOGRAD,
            CONV_2D_ADD,
            words,
            lambda step, settings: _winograd_cost(costs, step, settings) + _table_cost(costs, step),
            _winograd_add_supports,
            _winograd_settings,
            _winograd_add_scratch,
        ),
        Variant(
            ADD_TABLE,
            ADD,
            frozenset({feature}),
            lambda step, _settings: _table_cost(costs, step),
            sum_by_table,
            lambda _step: ({"scratch": 0},),
            lambda _step, _settings: TABLES,
        ),
    )


VARIANTS = (
    Variant(ADD, ADD, frozenset({"words"}), lambda step, _settings: 130.0 * sum_elements(step)),
    *_variants("thumb", _THUMB),
    *_variants("thumb2", _THUMB2),
    Variant(
        CONV_2D_PAIRS,
        CONV_2D,
        frozenset({"thumb2", "words"}),
        lambda step, settings: _panel_cost(_PAIRS, step, settings),
        _pairs_supports,
        _panel_settings,
        _pairs_scratch,
    ),
    *_variants("riscv", _RISCV),
)
