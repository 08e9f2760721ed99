# SPDX-License-Identifier: Apache-2.0
"""Which steps the variants for the DSP extension take, and what they ask for."""

from __future__ import annotations

from typing import Any

import pytest

from dimmer.firmware_gen.variants.dsp import SUM_TABLES, VARIANTS, rescales_in_five, sum_supports
from dimmer.firmware_gen.variants.frame import Variant
from tests.firmware_gen.variants.steps import add, conv, depthwise, named, ways

DIRECT, F43 = named(VARIANTS, "conv2d_s8_dsp"), named(VARIANTS, "conv2d_s8_f43_dsp")
DEPTHWISE, SUM = named(VARIANTS, "depthwise_conv2d_s8_dsp"), named(VARIANTS, "add_s8_dsp")


@pytest.mark.parametrize("variant", [DIRECT, F43], ids=lambda variant: variant.kernel.name)
def test_what_a_step_reads_and_writes_stays(variant: Variant) -> None:
    plain = conv()
    assert variant.supports(plain)
    for _, scratch, made in ways(variant, plain):
        assert (made.reads, made.writes, made.macs, made.layer) == (plain.reads, plain.writes, plain.macs, plain.layer)
        assert made.fields["weights"] == plain.fields["weights"]
        assert made.scratch_bytes == scratch


@pytest.mark.parametrize("variant", [DIRECT, F43], ids=lambda variant: variant.kernel.name)
def test_less_scratch_costs_more(variant: Variant) -> None:
    found = ways(variant, conv())
    smallest = min(found, key=lambda way: way[1])
    assert smallest[1] < found[0][1]
    assert smallest[0] > found[0][0]
    assert found[0][2].fields["group"] == 8


@pytest.mark.parametrize(
    ("changes", "direct", "winograd"),
    [
        ({}, True, True),
        ({"stride_h": 2}, True, True),
        ({"stride_w": 2}, True, False),
        ({"kernel_w": 1}, True, False),
        ({"dilation_h": 2}, True, False),
        ({"input_c": 6}, True, False),
        ({"output_c": 7}, True, False),
        ({"shift": 0}, False, False),
        ({"shift": -23}, False, False),
        ({"weight_bits": 4}, False, False),
        ({"batches": 2}, False, False),
        ({"biases": 1 << 30}, False, False),
    ],
    ids=str,
)
def test_they_take_only_what_they_can_do_exactly(changes: dict[str, Any], direct: bool, winograd: bool) -> None:
    assert (DIRECT.supports(conv(**changes)), F43.supports(conv(**changes))) == (direct, winograd)


def test_the_short_rescaling_is_proven_from_weights_and_bias() -> None:
    products = 128 * 9 * 16 * 100
    assert rescales_in_five(conv(100, biases=2**30 - products - 1))
    assert not rescales_in_five(conv(100, biases=2**30 - products))


@pytest.mark.parametrize(("changes", "taken"), [({}, True), ({"input_c": 6}, False), ({"depth_multiplier": 2}, False)])
def test_depthwise_channels_go_in_fours(changes: dict[str, Any], taken: bool) -> None:
    assert DEPTHWISE.supports(depthwise(**changes)) == taken


def test_a_depthwise_window_is_filled_up_to_nines() -> None:
    assert DEPTHWISE.scratch(depthwise(), {}) == 8 * (2 * 9 + 17) + 4 * 9
    assert DEPTHWISE.scratch(depthwise(kernel_h=5, kernel_w=5), {}) == 8 * (2 * 27 + 17) + 4 * 27


@pytest.mark.parametrize(
    "changes", [{"broadcast1": 1}, {"input2_blob": 1}, {"shift_output": 0}, {"shift_output": -23}], ids=str
)
def test_a_sum_goes_by_tables_where_it_is_flat(changes: dict[str, Any]) -> None:
    assert sum_supports(add())
    assert not sum_supports(add(**changes))
    ((_, scratch, made),) = ways(SUM, add())
    assert scratch == made.scratch_bytes == SUM_TABLES
