# SPDX-License-Identifier: Apache-2.0
"""Variants for cores that multiply word by word whose inputs and weights have 4 or 2 bits: several rows of outputs
share a word (`kernels/words/packed.h`). What is exact is proven in `packed_plan.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dimmer.firmware_gen.kernels.fused import CONV_2D_ADD
from dimmer.firmware_gen.kernels.packed import CONV_2D_ADD_PACKED, CONV_2D_PACKED
from dimmer.firmware_gen.kernels.portable import CONV_2D
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.conv import shape_of
from dimmer.firmware_gen.variants.frame import Settings, Variant
from dimmer.firmware_gen.variants.latency import Products
from dimmer.firmware_gen.variants.packed_plan import SIDE, WORDS, Plan, plans
from dimmer.firmware_gen.variants.words import TABLES, sum_by_table, table_cost, table_products


@dataclass(frozen=True, slots=True)
class _Costs:
    """Instructions, fitted from counts; on Cortex-M0+ and Ibex they order kernels as cycles do. On Cortex-M3 they do
    not: its costs are cycles, scaled by hand from fitted instructions, 2.7 for a term, whose MLA and loads take two
    each, and 1.5 for all else.

    Attributes:
        term: of the inner loop, for a channel and four words: of four channels, and of one.
        plane: around it, for each channel.
        call: of the inner loop.
        result: an output.
        read: a word of sums of a chunk.
        tile: around them, for each channel.
        word: of inputs of 2 rows, of 4 rows, and its transform.
        row: of inputs of a word.
        weight: that is widened, and three at the six points.
    """

    term: tuple[float, float]
    plane: float
    call: float
    result: float
    read: float
    tile: float
    word: tuple[float, float, float]
    row: float
    weight: tuple[float, float]


_THUMB2 = _Costs((14.4, 14.4), 30, 110, 19, 24, 160, (12, 15, 7), 90, (6, 50))
_THUMB = _Costs((9.6, 9.6), 34, 130, 20, 24, 180, (9, 14, 8), 100, (4, 48))
_RISCV = _Costs((10.4, 14.5), 20, 60, 12, 15, 90, (7, 12, 5), 60, (5, 37))


def _plan(step: Step, settings: Settings) -> Plan:
    return next(plan for plan in plans(step) if plan.form.planes == settings["planes"])


def _supports(step: Step) -> bool:
    return bool(plans(step))


def _parts(count: int) -> list[int]:
    """Panels of a strip: all, and parts of about one size."""
    return sorted({-(-count // strips) for strips in range(1, count + 1)})


def _settings(step: Step) -> Iterable[Settings]:
    """All weights for a panel at a time, or some channels' for as many panels as there are, or part of them."""
    shape = shape_of(step)
    groups = [group for group in (2, 4, 8, 16, 32) if group < shape.output_c]
    found: list[Settings] = []
    for plan in plans(step):
        found.append({**plan.settings, "group": shape.output_c, "strip": 1})
        strips = _parts(plan.form.panels(shape))
        found += [{**plan.settings, "group": group, "strip": strip} for group in groups for strip in strips]
    return found


def _setting(settings: Settings, name: str) -> int:
    value = settings[name]
    assert isinstance(value, int)
    return value


def _scratch(step: Step, settings: Settings) -> int:
    shape, plan = shape_of(step), _plan(step, settings)
    form, group, strip = plan.form, _setting(settings, "group"), _setting(settings, "strip")
    rest = 256 + form.columns * shape.input_c + 28 * shape.output_c + 16 * plan.chunks * form.planes * group
    return rest + 4 * form.length * form.planes * (WORDS * strip + group)


def _cost(costs: _Costs, step: Step, settings: Settings) -> float:
    shape, plan = shape_of(step), _plan(step, settings)
    form, group = plan.form, _setting(settings, "group")
    panels, tiles, transformed = form.panels(shape), form.tiles(shape), form.planes != 1
    times = 1 if group == shape.output_c else -(-panels // _setting(settings, "strip"))
    alone = group % WORDS / group
    term = alone * costs.term[1] + (1 - alone) * costs.term[0]
    inner = panels * shape.output_c * form.planes * (form.length * term + plan.chunks * costs.plane)
    calls = panels * -(-shape.output_c // group) * plan.chunks * form.planes * costs.call
    word = costs.word[0 if form.rows == 2 else 1] + (costs.word[2] if transformed else 0)
    words = tiles * (WORDS // form.in_panel) * shape.kernel_h * (form.columns * shape.input_c * word + costs.row)
    weights = times * shape.output_c * form.length * costs.weight[transformed]
    reads = tiles * shape.output_c * (SIDE * plan.chunks * costs.read + costs.tile)
    return inner + calls + words + weights + reads + shape.pixels * shape.output_c * costs.result


def _products(step: Step, settings: Settings) -> Products:
    """Of terms, of what takes the transform's scale out of each word, and of each output of a whole tile."""
    shape, plan = shape_of(step), _plan(step, settings)
    form = plan.form
    inner = form.panels(shape) * shape.output_c * form.planes * form.length * WORDS
    scaled = SIDE * plan.chunks if form.planes != 1 else 0
    return Products(inner + form.tiles(shape) * shape.output_c * scaled + shape.pixels * shape.output_c)


def _add_supports(step: Step) -> bool:
    return sum_by_table(step, "add_") and _supports(step)


def _add_scratch(step: Step, settings: Settings) -> int:
    form = _plan(step, settings).form
    results = SIDE * form.rows * form.in_panel * _setting(settings, "strip") * shape_of(step).output_c
    return _scratch(step, settings) + TABLES + results


def _variants(feature: str, costs: _Costs) -> tuple[Variant, ...]:
    """Those of one instruction set."""
    words = frozenset({feature, "words"})
    return (
        Variant(
            CONV_2D_PACKED,
            CONV_2D,
            words,
            lambda step, settings: _cost(costs, step, settings),
            _supports,
            _settings,
            _scratch,
            products=_products,
        ),
        Variant(
            CONV_2D_ADD_PACKED,
            CONV_2D_ADD,
            words,
            lambda step, settings: _cost(costs, step, settings) + table_cost(feature, step),
            _add_supports,
            _settings,
            _add_scratch,
            products=lambda step, settings: _products(step, settings) + table_products(feature, step),
        ),
    )


VARIANTS = (*_variants("thumb1", _THUMB), *_variants("thumb2", _THUMB2), *_variants("riscv", _RISCV))
