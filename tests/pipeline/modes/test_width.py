# SPDX-License-Identifier: Apache-2.0
"""Widths of blocks: bits of weights and of activations."""

from __future__ import annotations

import itertools

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.modes.width import (
    BITS,
    FULL_BITS,
    PAIRS,
    activation_bits,
    bit_product,
    character_of,
    falling,
    is_falling,
    runnable,
    weight_bits,
    width_name,
    width_of,
)


def test_every_width_has_a_character_of_its_own_and_is_read_back() -> None:
    characters = [character_of(bits) for bits in BITS]
    assert len(set(characters)) == len(BITS)
    assert [width_of(character) for character in characters] == list(BITS)
    assert {width_of(character) for character in "135679dA .-"} == {None}


def test_a_pair_is_named_by_its_two_digits() -> None:
    for bits, pair in PAIRS.items():
        assert bits == 10 * pair.weights + pair.activations
        assert (weight_bits(bits), activation_bits(bits)) == (pair.weights, pair.activations)
        assert pair.weights < pair.activations <= FULL_BITS
    assert width_name(24) == "24 (W2A4)"


def test_letters_rise_with_the_cost_of_their_pairs() -> None:
    dearest_first = sorted(PAIRS, key=falling)
    assert [PAIRS[bits].letter for bits in dearest_first] == ["c", "b", "a"]
    assert [bit_product(bits) for bits in dearest_first] == [32, 16, 8]


def test_widths_are_in_the_order_of_their_cost() -> None:
    assert is_falling(BITS)
    assert not any(is_falling(swapped) for swapped in ((4, 28), (2, 24), (8, 8), (0, 2)))
    for dear, cheap in itertools.pairwise(BITS):
        assert bit_product(dear) >= bit_product(cheap)


def test_accounts_over_8_bits_run_8() -> None:
    assert [runnable(bits) for bits in (32, 16, *BITS)] == [8, 8, *BITS]


@pytest.mark.parametrize("bits", [82, 42, 84, 44, 16, 3, -2])
def test_what_is_no_width_is_refused_with_those_that_are(bits: int) -> None:
    with pytest.raises(DimmerError, match=rf"{bits} bits; allowed are 8, 48 \(W4A8\), .* and 0"):
        Mode(((bits,),))
