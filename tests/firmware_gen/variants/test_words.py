# SPDX-License-Identifier: Apache-2.0
"""Which steps the variants for cores that multiply word by word take, and what they ask for."""

from __future__ import annotations

from typing import Any

import pytest

from dimmer.firmware_gen.kernels import words
from dimmer.firmware_gen.kernels.portable import CONV_2D
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
    [{"stride_h": 2}, {"dilation_w": 2}, {"kernel_w": 1}, {"shift": 0}, {"biases": 1 << 29}],
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


@pytest.mark.parametrize("changes", [{"shift": 0}, {"shift": -23}, {"biases": 1 << 29}], ids=str)
def test_panels_take_only_what_they_rescale_exactly(changes: dict[str, Any]) -> None:
    assert not PANEL.supports(conv(**changes))


def test_kernels_for_whole_weights_make_no_slices() -> None:
    assert not any(variant.supports(conv(weight_bits=4)) for variant in (PANEL, WINOGRAD, PAIRS))


def test_outputs_are_rescaled_in_words_where_that_is_proven() -> None:
    """On Cortex-M0+, whose variants come first: 144 weights of 56, times inputs of 128, are below 2^20; of 57 not."""
    small = {"shift": -11, "biases": 0}

    def rescaled(variant: Variant, weight: int = 56, **changes: Any) -> set[object]:
        return {way[2].fields["small"] for way in ways(variant, conv(weight, **{**small, **changes}))}

    assert rescaled(PAIRS) == rescaled(WINOGRAD) == {1}
    assert rescaled(PAIRS, 57) == rescaled(PAIRS, shift=-12) == {0}
    assert rescaled(WINOGRAD, 57) == {1}
    assert rescaled(WINOGRAD, shift=-12) == rescaled(WINOGRAD, activation_min=-127) == {0}


def test_a_slow_multiplier_of_64_bits_is_not_used() -> None:
    """SMLAL takes a Cortex-M3 4 to 7 cycles: two products that share a word are 32 bits there, too."""
    cortex_m3 = [variant for variant in VARIANTS if variant.features == {"thumb2", "words"}]
    plain = conv(kernel_h=1, kernel_w=1, pad_top=0, pad_left=0, input_c=64)
    best = {v.kernel.name: ways(v, plain)[0][0] for v in cortex_m3 if v.replaces == CONV_2D and v.supports(plain)}
    panel, pairs = best["dimmer_conv2d_s8_panel"], best["dimmer_conv2d_s8_pairs"]
    assert 0.55 < pairs / panel < 0.8


def test_any_number_of_channels_is_multiplied_in_fours() -> None:
    for input_c in (1, 3, 4):
        assert WINOGRAD.supports(conv(input_c=input_c))
    three, four = (WINOGRAD.scratch(conv(input_c=c), {"group": 8, "strip": 1}) for c in (3, 4))
    assert three == four


def test_add_by_tables() -> None:
    ((_, scratch, step),) = ways(TABLE, add())
    assert TABLE.supports(add())
    assert (step.reads, step.writes, step.scratch_bytes) == ((0, 1), 2, 2048)
    assert step.fields["scratch"] == Scratch()
    assert scratch == 2048


@pytest.mark.parametrize("changes", [{"broadcast2": 1}, {"input1_blob": 1}, {"shift_output": 0}], ids=str)
def test_add_by_tables_takes_only_what_it_can_do(changes: dict[str, Any]) -> None:
    assert not TABLE.supports(add(**changes))
