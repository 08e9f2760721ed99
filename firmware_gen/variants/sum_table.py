# SPDX-License-Identifier: Apache-2.0
"""Sums that broadcast or take constants, and differences, by tables; for any core."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.portable import ADD, SUB
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.kernels.words import SUM_TABLE
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.add_table import places_of
from dimmer.firmware_gen.variants.conv import number, sum_elements
from dimmer.firmware_gen.variants.frame import Settings, Variant
from dimmer.firmware_gen.variants.latency import LONG, REQUANTISED, Products
from dimmer.firmware_gen.variants.word_costs import COSTS, Costs
from dimmer.firmware_gen.variants.words import SHIFTS, TABLES, sum_by_table

ROW = 70
"""Instructions of a row of the output."""
PLAIN = {"thumb1": 130.0, "thumb2": 66.0, "riscv": 100.0}
"""Instructions of an output without tables."""


def _supports(step: Step) -> bool:
    spread = step.kernel == SUB or not sum_by_table(step)
    return spread and number(step, "shift_output") in SHIFTS


def _rows(step: Step) -> int:
    dims = step.fields["dims"]
    assert isinstance(dims, tuple)
    return dims[0] * dims[1] * dims[2]


def _variants(costs: Costs, kernel: Kernel) -> tuple[Variant, ...]:
    feature = costs.feature
    subtract = int(kernel == SUB)

    def cost(step: Step, settings: Settings) -> float:
        each = costs.add[0 if settings["places"] else 1]
        return sum_elements(step) * each + ROW * _rows(step) + (512 + 256 * subtract) * costs.table

    def products(step: Step, settings: Settings) -> Products:
        outputs = Products() if settings["places"] else REQUANTISED[feature].times(sum_elements(step))
        return outputs + LONG[feature].times(2 * 512 if settings["places"] else 512)

    table = Variant(
        SUM_TABLE,
        kernel,
        frozenset({feature}),
        cost,
        _supports,
        lambda step: ({"places": places_of(step, subtract=bool(subtract)), "subtract": subtract},),
        lambda _step, _settings: TABLES,
        products=products,
    )
    plain = Variant(
        kernel,
        kernel,
        frozenset({feature}),
        lambda step, _settings: PLAIN[feature] * sum_elements(step),
        products=lambda step, _settings: LONG[feature].times(3 * sum_elements(step)),
    )
    return (table, plain) if subtract else (table,)


VARIANTS = tuple(variant for costs in COSTS.values() for kernel in (ADD, SUB) for variant in _variants(costs, kernel))
