# SPDX-License-Identifier: Apache-2.0
"""The width of a block: bits of its weights and of its activations.

A width is a number: 8, 4 and 2 are the bits of both, 0 is no width, the block is skipped. Where weights and activations
have different bits it has two digits, those of the weights first: 48 is W4A8, weights of 4 bits with activations of 8.
In a mode, where every block has one character, such a pair is a letter; letters rise with the pair's cost.
"""

from __future__ import annotations

from typing import NamedTuple

from dimmer.errors import DimmerError

FULL_BITS = 8


class Pair(NamedTuple):
    """Bits of weights and activations that differ.

    Attributes:
        letter: in a mode's notation.
    """

    letter: str
    weights: int
    activations: int


PAIRS = {48: Pair("c", 4, 8), 28: Pair("b", 2, 8), 24: Pair("a", 2, 4)}
"""Weights wider than activations are left out: W8A4 and W4A2 cost what W4A8 and W2A4 do, and narrow activations are
held to cost more accuracy (docs/bits.md)."""

BITS = (8, 48, 28, 4, 24, 2, 0)
"""All widths, by falling cost: bits of weights times bits of activations; of two that cost the same the one with wider
activations first."""

_CHARACTERS = {bits: PAIRS[bits].letter if bits in PAIRS else str(bits) for bits in BITS}
_WIDTHS = {character: bits for bits, character in _CHARACTERS.items()}


def weight_bits(bits: int) -> int:
    """Bits of the weights of a width.

    Examples:
        >>> weight_bits(48), weight_bits(2)
        (4, 2)
    """
    return PAIRS[bits].weights if bits in PAIRS else bits


def activation_bits(bits: int) -> int:
    """Bits of the activations of a width.

    Examples:
        >>> activation_bits(48), activation_bits(2)
        (8, 2)
    """
    return PAIRS[bits].activations if bits in PAIRS else bits


def bit_product(bits: int) -> int:
    """Bit-operations of a multiply-accumulate: weight bits x activation bits.

    Args:
        bits: a width; or 16 or 32, for accounts that price these.

    Examples:
        >>> [bit_product(bits) for bits in (32, *BITS)]
        [1024, 64, 32, 16, 16, 8, 4, 0]
    """
    return weight_bits(bits) * activation_bits(bits)


def falling(bits: int) -> tuple[int, int]:
    """Key that sorts widths as in `BITS`.

    Examples:
        >>> sorted([0, 2, 28, 8, 4, 32, 48, 24], key=falling)
        [32, 8, 48, 28, 4, 24, 2, 0]
    """
    return -bit_product(bits), -activation_bits(bits)


def is_falling(widths: tuple[int, ...]) -> bool:
    """Whether widths are in the order of `BITS`, each once."""
    return list(widths) == sorted(set(widths), key=falling)


def runnable(bits: int) -> int:
    """The width that a block runs with where an account prices one over 8 bits: 8, which is float in training.

    Examples:
        >>> [runnable(bits) for bits in (32, 8, 48, 2)]
        [8, 8, 48, 2]
    """
    return bits if bits in BITS else min(bits, FULL_BITS)


def width_name(bits: int) -> str:
    """A width in a sentence.

    Examples:
        >>> width_name(48), width_name(4)
        ('48 (W4A8)', '4')
    """
    return f"{bits} (W{weight_bits(bits)}A{activation_bits(bits)})" if bits in PAIRS else str(bits)


def character_of(bits: int) -> str:
    """A width as it stands in a mode.

    Raises:
        DimmerError: there is no such width.

    Examples:
        >>> "".join(map(character_of, BITS))
        '8cb4a20'
    """
    if bits not in _CHARACTERS:
        known = ", ".join(map(width_name, BITS[:-1]))
        raise DimmerError(f"mode has a block with {bits} bits; allowed are {known} and 0 (skipped)")
    return _CHARACTERS[bits]


def width_of(character: str) -> int | None:
    """The width of a mode's character; None for any other.

    Examples:
        >>> width_of("c"), width_of("8"), width_of("7")
        (48, 8, None)
    """
    return _WIDTHS.get(character)
