# SPDX-License-Identifier: Apache-2.0
"""Products of matrices by dot products, where a row of an operand is a vector."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.products import VARIANTS
from tests.firmware_gen.lower.lowered import only
from tests.firmware_gen.tflite_builder import Layers
from tests.firmware_gen.variants.steps import named, ways

PORTABLE, DSP, MVE = (named(VARIANTS, f"batch_matmul_s8{end}") for end in ("", "_dsp", "_mve"))


def product(adjoint1: bool, adjoint2: bool) -> Step:
    """9 x 8 times 8 x 5."""
    net = Layers(0)
    x = net.activation([1, *((8, 9) if adjoint1 else (9, 8))])
    shape = (5, 8) if adjoint2 else (8, 5)
    other = net.tensor("other", shape, "int8", 0.05, 3, 0, net.random.integers(-128, 128, size=shape))
    output = net.activation([1, 9, 5], net.scale_of(x) * 10, name="y")
    return only(net, x, net.operator("BATCH_MATMUL", [x, other], output, adjX=adjoint1, adjY=adjoint2))


@pytest.mark.parametrize(
    ("adjoint1", "adjoint2", "scratch"),
    [(False, True, 4 * 5), (False, False, 4 * 5 + 5 * 8), (True, True, 4 * 9 + 9 * 8), (True, False, None)],
)
def test_columns_that_lie_apart_are_laid_out_in_scratch(adjoint1: bool, adjoint2: bool, scratch: int | None) -> None:
    step = product(adjoint1, adjoint2)
    assert step.macs == 9 * 8 * 5
    for variant in (DSP, MVE):
        assert variant.supports(step) == (scratch is not None)
        if scratch is not None:
            ((_, found, made),) = ways(variant, step)
            assert found == made.scratch_bytes == scratch
    assert PORTABLE.scratch(step, {}) == 0


def test_faster_cores_cost_less() -> None:
    step = product(False, True)
    assert MVE.cost(step, {}) < DSP.cost(step, {}) < PORTABLE.cost(step, {})
