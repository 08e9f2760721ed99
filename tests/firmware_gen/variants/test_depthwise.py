# SPDX-License-Identifier: Apache-2.0
"""Which depthwise convolutions the 3x3 kernel takes."""

from __future__ import annotations

from typing import Any

import pytest

from dimmer.firmware_gen.variants.depthwise import VARIANTS
from tests.firmware_gen.variants.steps import depthwise, named, ways

WORDS = named(VARIANTS, "depthwise_conv2d_s8_words")
SMALL = named(VARIANTS, "depthwise_conv2d_s8_3x3")
PORTABLE = named(VARIANTS, "depthwise_conv2d_s8")


@pytest.mark.parametrize(
    "changes",
    [
        {"kernel_h": 5},
        {"kernel_w": 1},
        {"dilation_h": 2},
        {"depth_multiplier": 2},
        {"shift": 0},
        {"shift": -23},
        {"biases": 1 << 30},
    ],
    ids=str,
)
def test_it_takes_only_what_it_can_do_exactly(changes: dict[str, Any]) -> None:
    assert SMALL.supports(depthwise())
    assert SMALL.supports(depthwise(stride_h=2, stride_w=2, output_h=8, output_w=8))
    assert not SMALL.supports(depthwise(**changes))
    assert PORTABLE.supports(depthwise(**changes))


def test_the_bias_counts_in_the_largest_sum() -> None:
    products = 128 * 9 * 100
    assert SMALL.supports(depthwise(100, biases=2**30 - products - 1))
    assert not SMALL.supports(depthwise(100, biases=2**30 - products))


def test_it_holds_three_padded_rows_and_the_widened_weights() -> None:
    ((cost, scratch, step),) = ways(SMALL, depthwise())
    assert scratch == step.scratch_bytes == 8 * (52 + 3 * 18)
    assert cost < PORTABLE.cost(depthwise(), {})
    assert (step.reads, step.writes) == ((0,), 1)


def test_neighbours_in_runs_of_four_are_cheaper() -> None:
    together = SMALL.cost(depthwise(), {}) / 16**2
    alone = SMALL.cost(depthwise(stride_h=2, stride_w=2, output_h=8, output_w=8), {}) / 8**2
    assert alone > 1.3 * together


@pytest.mark.parametrize(
    "changes",
    [{"kernel_h": 5}, {"shift": 0}, {"shift": -12}, {"activation_min": -127}, {"activation_max": 126}],
    ids=str,
)
def test_in_words_it_takes_only_what_it_rescales_exactly(changes: dict[str, Any]) -> None:
    assert WORDS.supports(depthwise(shift=-11))
    assert not WORDS.supports(depthwise(**{"shift": -11, **changes}))


def test_in_words_sums_are_below_two_to_the_twentieth() -> None:
    products = 128 * 9 * 100
    assert WORDS.supports(depthwise(100, biases=2**20 - products - 1))
    assert not WORDS.supports(depthwise(100, biases=2**20 - products))
