# SPDX-License-Identifier: Apache-2.0
"""When the parts of two codes add up to what ADD gives."""

from __future__ import annotations

import numpy as np

from dimmer.firmware_gen.graph.fixed_point import requantize
from dimmer.firmware_gen.variants.add_table import FIELDS, places_of
from tests.firmware_gen.variants.steps import add

USUAL = {
    "multiplier1": 1518500249,
    "multiplier2": 1987654321,
    "multiplier_output": 1876543210,
    "shift1": 0,
    "shift2": -1,
    "shift_output": -18,
    "zero_point1": -128,
}


def test_every_two_codes_add_up() -> None:
    step = add(**USUAL)
    places = places_of(step)
    assert places >= 18
    values = {name: int(str(step.fields[name])) for name in FIELDS}
    multiplier, right = values["multiplier_output"], 31 - values["shift_output"] - places
    inputs = [
        [
            requantize((code - values[f"zero_point{i}"]) << 20, values[f"multiplier{i}"], values[f"shift{i}"])
            for code in range(-128, 128)
        ]
        for i in (1, 2)
    ]
    parts = [[(x * multiplier + (1 << (right - 1))) >> right for x in xs] for xs in inputs]
    rng = np.random.default_rng(1)
    for a, b in rng.integers(0, 256, (2000, 2)):
        wanted = requantize(inputs[0][a] + inputs[1][b], multiplier, values["shift_output"]) + 5
        found = (parts[0][a] + parts[1][b] + (1 << (places - 1)) + 5 * (1 << places)) >> places
        assert max(-128, min(127, found)) == max(-128, min(127, wanted))


def test_ties_are_left_alone() -> None:
    """Half the sum of two codes of one scale: a half is rounded away from zero, whichever sign it has."""
    half = {"multiplier1": 1 << 30, "multiplier2": 1 << 30, "multiplier_output": 1 << 30, "shift_output": -19}
    assert places_of(add(**half, shift1=0, shift2=0)) == 0


def test_parts_that_no_word_holds_are_left_alone() -> None:
    assert places_of(add(**{**USUAL, "shift_output": -4})) == 0
