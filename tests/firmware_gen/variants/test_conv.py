# SPDX-License-Identifier: Apache-2.0
"""What variants see of a convolution, and what is proven of its sums."""

from __future__ import annotations

import numpy as np

from dimmer.firmware_gen.variants.conv import (
    eight_bits,
    largest_product_sum,
    largest_sum,
    number,
    product_sums,
    shape_of,
    shifts_of,
    sum_elements,
    weights_of,
)
from tests.firmware_gen.variants.steps import add, conv, depthwise


def test_a_shape_is_that_of_the_record() -> None:
    shape = shape_of(conv(stride_w=2, output_w=8))
    assert (shape.input_c, shape.output_c, shape.stride_h, shape.stride_w, shape.pixels) == (16, 8, 1, 2, 16 * 8)
    assert shape_of(depthwise()).output_c == 0


def test_a_field_that_a_record_lacks_counts_as_zero() -> None:
    assert number(conv(), "entry_multiplier") == 0
    assert number(conv(), "weights") == 0
    assert number(conv(), "output_c") == 8


def test_no_order_of_products_gives_a_larger_sum() -> None:
    step = conv(-5)
    assert product_sums(step).tolist() == [128 * 5 * 9 * 16] * 8
    assert largest_product_sum(step) == 128 * 5 * 9 * 16
    assert largest_sum(conv(-5, biases=-700)) == 128 * 5 * 9 * 16 + 700


def test_channels_of_a_depthwise_convolution_have_a_window_each() -> None:
    step = depthwise(-5)
    assert product_sums(step).tolist() == [128 * 5 * 9] * 8
    assert weights_of(step).shape == (1, 3, 3, 8)


def test_weights_and_shifts_are_those_of_the_tables() -> None:
    step = conv(-7, shift=-3)
    assert np.unique(weights_of(step)).tolist() == [-7]
    assert shifts_of(step) == (-3,) * 8


def test_elements_of_a_sum_are_those_of_all_dimensions() -> None:
    assert sum_elements(add(dims=(2, 3, 4, 5))) == 120


def test_slices_are_told_from_whole_weights() -> None:
    assert eight_bits(conv())
    assert eight_bits(depthwise())
    assert not eight_bits(conv(weight_bits=4))
