# SPDX-License-Identifier: Apache-2.0
"""A table of all codes pays where there are more elements than codes."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.requantize import TABLE, VARIANTS
from tests.firmware_gen.lower.lowered import only
from tests.firmware_gen.tflite_builder import Layers
from tests.firmware_gen.variants.steps import named, ways

PORTABLE, BY_TABLE = named(VARIANTS, "requantize_s8"), named(VARIANTS, "requantize_s8_table")


def quantize(elements: int) -> Step:
    net = Layers(0)
    x = net.activation([1, elements])
    return only(net, x, net.operator("QUANTIZE", [x], net.activation([1, elements], name="y")))


@pytest.mark.parametrize(("elements", "table"), [(100, False), (256, False), (400, True), (10_000, True)])
def test_the_cheaper_way_depends_on_the_elements(elements: int, table: bool) -> None:
    step = quantize(elements)
    assert (BY_TABLE.cost(step, {}) < PORTABLE.cost(step, {})) == table


def test_the_table_is_scratch() -> None:
    ((_, scratch, made),) = ways(BY_TABLE, quantize(400))
    assert scratch == made.scratch_bytes == TABLE
    assert PORTABLE.scratch(quantize(400), {}) == 0


def test_both_instruction_sets_have_both_ways() -> None:
    found = {(variant.kernel.name, *variant.features) for variant in VARIANTS}
    kernels = (PORTABLE.kernel.name, BY_TABLE.kernel.name)
    assert found == {(kernel, feature) for kernel in kernels for feature in ("thumb", "riscv")}
