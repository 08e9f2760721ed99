# SPDX-License-Identifier: Apache-2.0
"""Which sums go by tables."""

from __future__ import annotations

from dataclasses import replace

from dimmer.firmware_gen.kernels.portable import ADD, SUB
from dimmer.firmware_gen.variants.sum_table import VARIANTS
from tests.firmware_gen.variants.steps import add

(TABLE,) = (v for v in VARIANTS if v.replaces == ADD and v.features == {"thumb2"})
DIFFERENCE, PLAIN = (v for v in VARIANTS if v.replaces == SUB and v.features == {"thumb2"})


def test_sums_that_broadcast_and_all_differences() -> None:
    assert not TABLE.supports(add())
    assert TABLE.supports(add(broadcast2=1))
    assert TABLE.supports(add(input2_blob=1))
    assert not TABLE.supports(add(broadcast2=1, shift_output=-31))
    assert DIFFERENCE.supports(replace(add(), kernel=SUB))


def test_tables_are_worth_it_for_many_elements() -> None:
    for elements, better in ((20_000, True), (100, False)):
        step = replace(add(dims=(1, 1, 1, elements)), kernel=SUB)
        (settings,) = DIFFERENCE.settings(step)
        assert (DIFFERENCE.cost(step, settings) < PLAIN.cost(step, {})) == better
