# SPDX-License-Identifier: Apache-2.0
"""What is proven before narrow pixels share a word."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from dimmer.firmware_gen.lower.steps import Params, Shifts, Step
from dimmer.firmware_gen.variants.packed_plan import plans
from tests.firmware_gen.variants import steps

ONE_BY_ONE = dict.fromkeys(("kernel_h", "kernel_w"), 1) | dict.fromkeys(("pad_top", "pad_left"), 0)


def narrow(weight: int, bits: int, **changes: Any) -> Step:
    """All weights are of one code, and inputs as narrow as they."""
    changes = {"weight_bits": bits, "input_c": 16, "output_c": 4, "biases": 128 * 144 * weight, **changes}
    return dataclasses.replace(steps.conv(weight, **changes), input_high=2**bits - 129)


@pytest.mark.parametrize(
    ("bits", "weight", "planes", "terms"),
    [
        # 144 * 7 * 15 < 2^16; 48 terms of 3 products: 48 * 3 * 105 < 2^14.
        (4, 127, 1, 144),
        (4, 127, 6, 48),
        # 72 * 3 < 2^8 <= 144 * 3; 12 * 9 < 2^7 <= 16 * 9.
        (2, 127, 1, 72),
        (2, 127, 6, 12),
        (2, -128, 6, 12),
    ],
)
def test_as_many_terms_are_added_up_as_fields_hold(bits: int, weight: int, planes: int, terms: int) -> None:
    (plan,) = (plan for plan in plans(narrow(weight, bits)) if plan.form.planes == planes)
    assert plan.settings["terms"] == terms
    offsets = plan.settings["shifts"]
    assert isinstance(offsets, Shifts)
    assert all((offset == 0) == (weight > 0) for offset in offsets.values)


@pytest.mark.parametrize(
    "change",
    [
        {"input_c": 18},
        {"dilation_w": 2},
        {"pad_left": 3},
        {"input_zero_point": -127},
        {"weight_bits": 8},
    ],
)
def test_other_convolutions_have_no_plan(change: dict[str, int]) -> None:
    assert plans(narrow(127, 4))
    assert not plans(narrow(127, 4, **change))


def test_inputs_must_be_proven_to_be_narrow() -> None:
    step = narrow(127, 4)
    assert not plans(dataclasses.replace(step, input_high=step.input_high + 1))


def test_sums_that_the_portable_kernel_would_not_hold_have_no_plan() -> None:
    assert not plans(narrow(127, 4, shift=17))


@pytest.mark.parametrize(("stride", "planes"), [(1, {1, 6}), (2, {1})])
def test_only_a_kernel_that_moves_by_one_has_a_transform(stride: int, planes: set[int]) -> None:
    assert {plan.form.planes for plan in plans(narrow(127, 4, stride_w=stride))} == planes


@pytest.mark.parametrize(
    ("step", "way"),
    [
        # Sums of one sign have codes of their own; of both; a sum is 28 codes, so that lines leave the range; 8 codes,
        # and sums are so many that 32 bits do not hold a line.
        (narrow(127, 4, shift=-8, output_zero_point=-128, biases=128 * 144 * 7 - 8000), 0),
        (narrow(127, 4, shift=-2, biases=128 * 144 * 7 - 8000), 1),
        (narrow(127, 2, **ONE_BY_ONE, shift=3, output_zero_point=100, biases=128 * 16 * 7 - 150), 2),
        (narrow(127, 4, shift=4, output_zero_point=3, biases=128 * 144 * 7 - 8000), 3),
    ],
)
def test_a_layer_is_requantised_in_the_shortest_way(step: Step, way: int) -> None:
    assert {plan.settings["way"] for plan in plans(step)} == {way}
    bounds = plans(step)[0].settings["bounds"]
    assert isinstance(bounds, Params)
    assert len(bounds.values) == (4 if way == 0 else 12)


def test_layers_of_many_channels_have_a_plan() -> None:
    large = narrow(127, 4, input_c=256, biases=128 * 9 * 256 * 7, shift=-9, output_zero_point=-128)
    assert {plan.form.planes for plan in plans(large)} == {1, 6}
    larger = narrow(127, 4, input_c=512, biases=128 * 9 * 512 * 7, shift=-9, output_zero_point=-128)
    assert not plans(larger)
