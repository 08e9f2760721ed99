# SPDX-License-Identifier: Apache-2.0
"""Which steps the variants for cores that multiply word by word take, and what they ask for."""

from __future__ import annotations

from typing import Any

import pytest

from dimmer.firmware_gen.kernels import words
from dimmer.firmware_gen.lower.steps import Scratch
from dimmer.firmware_gen.variants.frame import Variant
from dimmer.firmware_gen.variants.words import VARIANTS
from tests.firmware_gen.variants.steps import add, conv, ways

PANEL, PAIRS, WINOGRAD, TABLE = (
    next(variant for variant in VARIANTS if variant.kernel is kernel)
    for kernel in (words.CONV_2D_PANEL, words.CONV_2D_PAIRS, words.CONV_2D_WINOGRAD, words.ADD_TABLE)
)


@pytest.mark.parametrize("variant", [PANEL, PAIRS, WINOGRAD], ids=lambda variant: variant.kernel.name)
def test_what_a_step_reads_and_writes_stays(variant: Variant) -> None:
    plain = conv()
    assert variant.supports(plain)
    for _, scratch, made in ways(variant, plain):
        assert (made.reads, made.writes, made.macs, made.layer) == (plain.reads, plain.writes, plain.macs, plain.layer)
        assert made.fields["weights"] == plain.fields["weights"]
        assert made.fields["scratch"] == Scratch()
        assert made.scratch_bytes == scratch


def test_the_cheapest_way_expands_nothing_twice() -> None:
    assert ways(PANEL, conv())[0][2].fields["group"] == 8
    cheapest = ways(WINOGRAD, conv())[0][2].fields
    assert cheapest["group"] == 8 or cheapest["strip"] == 4


def test_less_scratch_costs_more() -> None:
    for variant in (PANEL, WINOGRAD):
        found = ways(variant, conv())
        assert len({scratch for _, scratch, _ in found}) > 2
        smallest = min(found, key=lambda way: way[1])
        assert smallest[0] > found[0][0]


@pytest.mark.parametrize(
    "changes",
    [{"stride_h": 2}, {"dilation_w": 2}, {"kernel_w": 1}, {"input_c": 6}, {"shift": 0}, {"biases": 1 << 30}],
    ids=str,
)
def test_winograd_takes_only_what_it_can_do_exactly(changes: dict[str, Any]) -> None:
    assert WINOGRAD.supports(conv())
    assert not WINOGRAD.supports(conv(**changes))


def test_winograd_is_proven_from_the_weights() -> None:
    """9 * 256 weights of 113, times inputs of 128, are below 2^25; of 114 they are not."""
    assert WINOGRAD.supports(conv(113, input_c=256, input_h=4, input_w=4))
    assert not WINOGRAD.supports(conv(114, input_c=256, input_h=4, input_w=4))


def test_two_terms_share_a_word_only_if_two_products_fit_half_a_word() -> None:
    assert PAIRS.supports(conv(-127))
    assert not PAIRS.supports(conv(-128))
    assert PANEL.supports(conv(-128))


@pytest.mark.parametrize("changes", [{"shift": 0}, {"shift": -23}, {"biases": 1 << 30}, {"weight_bits": 4}], ids=str)
def test_panels_take_only_what_they_rescale_exactly(changes: dict[str, Any]) -> None:
    assert not PANEL.supports(conv(**changes))


def test_add_by_tables() -> None:
    ((_, scratch, step),) = ways(TABLE, add())
    assert TABLE.supports(add())
    assert (step.reads, step.writes, step.scratch_bytes) == ((0, 1), 2, 2048)
    assert step.fields["scratch"] == Scratch()
    assert scratch == 2048


@pytest.mark.parametrize("changes", [{"broadcast2": 1}, {"input1_blob": 1}, {"shift_output": 0}], ids=str)
def test_add_by_tables_takes_only_what_it_can_do(changes: dict[str, Any]) -> None:
    assert not TABLE.supports(add(**changes))
