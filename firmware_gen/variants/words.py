# SPDX-License-Identifier: Apache-2.0
"""Variants for cores that multiply word by word: operands are widened to panels of int32, directly or for Winograd's
F(4x4,3x3). And ADD by tables, for any core.

The conditions under which their shorter arithmetic is exact are proven for each layer, from its weights.
"""

from __future__ import annotations

from collections.abc import Iterable

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
from dimmer.firmware_gen.lower.steps import Params, Step
from dimmer.firmware_gen.variants.add_table import places_of
from dimmer.firmware_gen.variants.conv import (
    ConvShape,
    eight_bits,
    largest_sum,
    number,
    shape_of,
    shifts_of,
    sum_elements,
    weights_of,
)
from dimmer.firmware_gen.variants.frame import Settings, Variant
from dimmer.firmware_gen.variants.latency import LONG, REQUANTISED, RESCALED, SMALL, Products
from dimmer.firmware_gen.variants.sliced import with_slices
from dimmer.firmware_gen.variants.word_costs import COSTS, Costs, Sums

PIXELS = 4
"""That share a turn of the inner loop, panel.h."""
SIDE = 4
PLANES = 36
CHANNELS = 4
"""That Winograd multiplies at a time, where the core has the registers."""
TABLES = 2048
SHIFTS = range(-22, 0)
"""That rescale.h is exact for."""


def _shift_fits(shifts: Iterable[int]) -> bool:
    return all(shift in SHIFTS for shift in shifts)


def _panel_supports(step: Step) -> bool:
    return _shift_fits(shifts_of(step)) and largest_sum(step) < 2**29


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


def _sums_cost(sums: Sums, length: int, shape: ConvShape, group: int) -> float:
    """Of all sums of a layer, `length` products each; without what is done with them."""
    passes = -(-shape.output_c // group)
    inner = -(-shape.pixels // PIXELS) * shape.output_c * (PIXELS * length * sums.mac + sums.plane)
    gather = passes * shape.pixels * (length * sums.gather + shape.kernel_h * sums.row)
    return inner + gather + shape.output_c * length * sums.widen


def _slicing(step: Step) -> float:
    """Of making slices of all weights, once, for the kernels that do."""
    return 0 if eight_bits(step) else 13 * weights_of(step).size


def _panel_cost(costs: Costs, step: Step, settings: Settings) -> float:
    shape = shape_of(step)
    outputs = shape.pixels * shape.output_c
    return _sums_cost(costs.panel, _length(shape), shape, _group(settings)) + outputs * costs.rescale + _slicing(step)


def _panel_products(feature: str, step: Step, _settings: Settings) -> Products:
    shape = shape_of(step)
    return Products(_panels(shape) * _length(shape)) + RESCALED[feature].times(shape.pixels * shape.output_c)


def _panels(shape: ConvShape) -> int:
    """Sums of a layer, whole panels of them."""
    return -(-shape.pixels // PIXELS) * PIXELS * shape.output_c


def _pairs_supports(step: Step) -> bool:
    """Whether two products fit the upper half of a word."""
    return eight_bits(step) and _panel_supports(step) and int(weights_of(step).min()) > -128


def _small(step: Step) -> bool:
    """Whether sums are so small that outputs are rescaled in words, small.h."""
    return min(shifts_of(step)) >= -11 and largest_sum(step) < 2**20


def _saturates(step: Step) -> bool:
    """Whether sums of any size are rescaled in words: what is not small is beyond the codes of int8."""
    multipliers = step.fields["multipliers"]
    assert isinstance(multipliers, Params)
    whole = (number(step, "activation_min"), number(step, "activation_max")) == (-128, 127)
    return whole and min(shifts_of(step)) >= -11 and all(m == 0 or m >= 2**30 for m in multipliers.values)


def _pairs_settings(small: bool, step: Step) -> Iterable[Settings]:
    """Groups as of the panel. `small`: whether the core's products have 32 bits only."""
    return [{**settings, "small": int(small and _small(step))} for settings in _panel_settings(step)]


def _pairs_length(shape: ConvShape) -> int:
    """Words of a window."""
    return -(-shape.kernel_h * shape.kernel_w * shape.input_c // 8) * 4


def _pairs_cost(costs: Costs, step: Step, settings: Settings) -> float:
    shape = shape_of(step)
    row = shape.kernel_w * shape.input_c
    copied = -(-shape.output_c // _group(settings)) * shape.pixels * shape.kernel_h * row if row % 4 else 0
    outputs = shape.pixels * shape.output_c * (costs.small if settings["small"] else costs.rescale)
    sums = _sums_cost(costs.pairs, 2 * _pairs_length(shape), shape, _group(settings))
    return sums + outputs + copied * costs.staged


def _pairs_products(feature: str, step: Step, settings: Settings) -> Products:
    shape = shape_of(step)
    rescaled = SMALL if settings["small"] else RESCALED[feature]
    return Products(_panels(shape) * _pairs_length(shape)) + rescaled.times(shape.pixels * shape.output_c)


def _pairs_scratch(step: Step, settings: Settings) -> int:
    shape, group = shape_of(step), _group(settings)
    words = _pairs_length(shape) * (PIXELS + group)
    return 24 * shape.output_c + 16 * group + 4 * words + _length(shape)


def _winograd_supports(step: Step) -> bool:
    shape = shape_of(step)
    window = (shape.kernel_h, shape.kernel_w, shape.stride_h, shape.stride_w, shape.dilation_h, shape.dilation_w)
    if window != (3, 3, 1, 1, 1, 1) or not _panel_supports(step):
        return False
    sums = np.abs(weights_of(step)).reshape(shape.output_c, -1).sum(axis=1)
    return 128 * int(sums.max()) < 2**25


def _quads(shape: ConvShape) -> int:
    """How many times four tiles of 4x4 outputs there are."""
    return -(-(-(-shape.output_h // SIDE) * -(-shape.output_w // SIDE)) // PIXELS)


def _winograd_settings(feature: str, step: Step) -> Iterable[Settings]:
    """All weights for four tiles at a time, or one channel's (on RISC-V also four channels') for as many tiles as there
    are, or part of them; outputs rescaled in words or not.
    """
    shape = shape_of(step)
    groups = [group for group in ((4, 1) if feature == "riscv" else (1,)) if group <= shape.output_c]
    ways = [(shape.output_c, 1), *((group, strip) for group in groups for strip in _parts(_quads(shape)))]
    # On Armv6-M words are always cheaper: it has no longer products.
    words = {"thumb1": (1,), "thumb2": (1, 0), "riscv": (0,)}[feature] if _saturates(step) else (0,)
    return [{"group": group, "strip": strip, "small": small} for group, strip in ways for small in words]


def _winograd_scratch(feature: str, step: Step, settings: Settings) -> int:
    """Halves and the sums of four channels, as C99 has them; or words and those of one, Arm's."""
    shape, strip = shape_of(step), int(str(settings["strip"]))
    plane = -(-shape.input_c // 4) * 4
    layouts = [(2, 4)] if feature == "riscv" else [(2, 4), (4, 1)]
    return 24 * shape.output_c + max(
        max(4 * PLANES * PIXELS * channels, PLANES * plane)
        + word * PLANES * plane * (PIXELS * strip + _group(settings))
        for word, channels in layouts
    )


def _winograd_cost(costs: Costs, step: Step, settings: Settings) -> float:
    shape, quads, group = shape_of(step), _quads(shape_of(step)), _group(settings)
    times = 1 if group == shape.output_c else -(-quads // int(str(settings["strip"])))
    tiles = -(-shape.output_h // SIDE) * -(-shape.output_w // SIDE)
    plane = -(-shape.input_c // 4) * 4
    sums = costs.winograd if group >= CHANNELS else costs.lone
    inner = quads * shape.output_c * PLANES * (PIXELS * plane * sums.mac + sums.plane)
    weights = times * (shape.input_c * shape.output_c * costs.weights + _slicing(step))
    back = costs.back + SIDE * SIDE * (costs.small if settings["small"] else costs.whole)
    return inner + weights + tiles * (shape.input_c * costs.tile + shape.output_c * back)


def _winograd_products(feature: str, step: Step, settings: Settings) -> Products:
    """With one of each output that takes the transform's scale out."""
    shape, quads = shape_of(step), _quads(shape_of(step))
    plane = -(-shape.input_c // 4) * 4
    rescaled = SMALL if settings["small"] else REQUANTISED[feature]
    inner = Products(quads * shape.output_c * PLANES * PIXELS * plane)
    return inner + (Products(1) + rescaled).times(shape.pixels * shape.output_c)


def sum_by_table(step: Step, prefix: str = "") -> bool:
    """Whether both inputs are whole and in the arena."""
    kinds = ("broadcast1", "broadcast2", "input1_blob", "input2_blob")
    return not any(number(step, prefix + name) for name in kinds) and number(step, f"{prefix}shift_output") in SHIFTS


def _table_cost(costs: Costs, step: Step, settings: Settings) -> float:
    return sum_elements(step) * costs.add[0 if settings["places"] else 1] + 512 * costs.table


def _table_products(feature: str, step: Step, settings: Settings) -> Products:
    outputs = Products() if settings["places"] else REQUANTISED[feature].times(sum_elements(step))
    return outputs + LONG[feature].times(2 * 512 if settings["places"] else 512)


def table_cost(feature: str, step: Step) -> float:
    """Of an ADD by tables, fused into the step, on an instruction set; as `word_costs.py` has it."""
    return _table_cost(COSTS[feature], step, {"places": 0})


def table_products(feature: str, step: Step) -> Products:
    """Multiplications of an ADD by tables, fused into the step."""
    return _table_products(feature, step, {"places": 0})


def _winograd_add_supports(step: Step) -> bool:
    return _winograd_supports(step) and sum_by_table(step, "add_")


def _winograd_add_settings(feature: str, step: Step) -> Iterable[Settings]:
    places = places_of(step, "add_")
    return [{**settings, "places": places} for settings in _winograd_settings(feature, step)]


def _winograd_add_scratch(feature: str, step: Step, settings: Settings) -> int:
    results = PIXELS * SIDE * SIDE * int(str(settings["strip"])) * shape_of(step).output_c
    return _winograd_scratch(feature, step, settings) + TABLES + results


def _variants(costs: Costs) -> tuple[Variant, ...]:
    """Those of one instruction set."""
    feature = costs.feature
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
            products=lambda step, settings: _panel_products(feature, step, settings),
        ),
        Variant(
            CONV_2D_WINOGRAD,
            CONV_2D,
            words,
            lambda step, settings: _winograd_cost(costs, step, settings),
            _winograd_supports,
            lambda step: _winograd_settings(feature, step),
            lambda step, settings: _winograd_scratch(feature, step, settings),
            products=lambda step, settings: _winograd_products(feature, step, settings),
        ),
        Variant(
            CONV_2D_PAIRS,
            CONV_2D,
            words,
            lambda step, settings: _pairs_cost(costs, step, settings),
            _pairs_supports,
            lambda step: _pairs_settings(feature == "thumb1", step),
            _pairs_scratch,
            products=lambda step, settings: _pairs_products(feature, step, settings),
        ),
        Variant(
            CONV_2D_ADD_WINOGRAD,
            CONV_2D_ADD,
            words,
            lambda step, settings: _winograd_cost(costs, step, settings) + _table_cost(costs, step, settings),
            _winograd_add_supports,
            lambda step: _winograd_add_settings(feature, step),
            lambda step, settings: _winograd_add_scratch(feature, step, settings),
            products=lambda step, settings: (
                _winograd_products(feature, step, settings) + _table_products(feature, step, settings)
            ),
        ),
        Variant(
            ADD_TABLE,
            ADD,
            frozenset({feature}),
            lambda step, settings: _table_cost(costs, step, settings),
            sum_by_table,
            lambda step: ({"scratch": 0, "places": places_of(step)},),
            lambda _step, _settings: TABLES,
            products=lambda step, settings: _table_products(feature, step, settings),
        ),
        Variant(
            ADD,
            ADD,
            words,
            lambda step, _settings: 130.0 * sum_elements(step),
            products=lambda step, _settings: LONG[feature].times(3 * sum_elements(step)),
        ),
    )


VARIANTS = with_slices(variant for costs in COSTS.values() for variant in _variants(costs))
