# SPDX-License-Identifier: Apache-2.0
"""Which depthwise convolutions go by planes, and which way the rows of their planes lie."""

from __future__ import annotations

from typing import Any

import pytest

from dimmer.firmware_gen.lower.steps import Params
from dimmer.firmware_gen.variants.dsp import VARIANTS as DSP
from dimmer.firmware_gen.variants.planes import VARIANTS, plane_of
from tests.firmware_gen.variants.steps import depthwise, named, ways

PLANES = named(VARIANTS, "depthwise_conv2d_s8_3x3_dsp")


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({}, True),
        ({"stride_h": 3}, True),
        ({"stride_h": 3, "stride_w": 3}, False),
        ({"pad_left": 2}, True),
        ({"pad_left": 2, "pad_top": 2}, False),
        ({"kernel_h": 5}, False),
        ({"dilation_w": 2}, False),
        ({"input_c": 6}, False),
        ({"depth_multiplier": 2}, False),
        ({"output_zero_point": 0}, False),
        ({"biases": 1 << 23}, False),
    ],
    ids=str,
)
def test_it_takes_what_it_can_do_exactly(changes: dict[str, Any], taken: bool) -> None:
    assert PLANES.supports(depthwise(**{"output_zero_point": -128, **changes})) == taken


def test_a_plane_may_lie_on_its_side() -> None:
    step = depthwise(output_h=8, stride_h=2, pad_top=0)
    upright, turned = plane_of(step, False), plane_of(step, True)
    assert (upright.output, upright.rows, upright.pairs, upright.filled(3)) == (16, 8, 17 // 2 + 1, 7)
    assert (turned.output, turned.rows, turned.pairs, turned.filled(3)) == (8, 16, 9, 5)
    assert (upright.pad, turned.pad) == (1, 0)


def test_narrow_images_are_walked_along_their_length() -> None:
    narrow = depthwise(output_zero_point=-128, input_h=25, output_h=25, input_w=5, output_w=5)
    assert ways(PLANES, narrow)[0][2].fields["transposed"] == 1
    wide = depthwise(output_zero_point=-128, input_h=5, output_h=5, input_w=25, output_w=25)
    assert ways(PLANES, wide)[0][2].fields["transposed"] == 0


def test_less_scratch_costs_more() -> None:
    step = depthwise(output_zero_point=-128)
    found = ways(PLANES, step)
    smallest = min(found, key=lambda way: way[1])
    assert smallest[1] == 128 + 16 * 9 * 3
    assert smallest[0] > found[0][0]
    assert all(made.scratch_bytes == scratch for _, scratch, made in found)


def test_weights_stay_as_they_are_and_parameters_do_not() -> None:
    step = depthwise(output_zero_point=-128)
    made = ways(PLANES, step)[0][2]
    assert made.fields["weights"] == step.fields["weights"]
    assert isinstance(made.fields["bias"], Params)
    assert len(made.fields["bias"].values) == 8
    assert made.fields["shifts"] == 0


def test_it_is_cheaper_than_taps_one_by_one() -> None:
    step = depthwise(output_zero_point=-128)
    assert ways(PLANES, step)[0][0] < ways(named(DSP, "depthwise_conv2d_s8_dsp"), step)[0][0]
