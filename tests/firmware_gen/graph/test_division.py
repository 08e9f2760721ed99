# SPDX-License-Identifier: Apache-2.0
"""Divisions by a constant."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.firmware_gen.graph.division import division_table, floor_division_table, reciprocal_of_one_plus
from dimmer.firmware_gen.graph.fixed_point import RangeError
from dimmer.firmware_gen.graph.types import Quantisation


def test_a_quotient_of_codes_is_cut_downwards() -> None:
    table = np.frombuffer(floor_division_table(-7), np.int8)
    assert table.tolist() == [code // -7 for code in range(-128, 128)]


@pytest.mark.parametrize("code", [0, -1])
def test_what_has_no_quotient_is_told(code: int) -> None:
    with pytest.raises(RangeError):
        floor_division_table(code)


def test_a_quotient_is_nearest_to_the_real_one() -> None:
    source, divisor, output = Quantisation((0.5,), (3,)), Quantisation((0.001,), (-100,)), Quantisation((4.0,), (-7,))
    table = np.frombuffer(division_table(source, divisor, output, 20), np.int8)
    real = 0.5 * (np.arange(-128, 128) - 3) / (0.001 * 120) / 4.0 - 7
    assert np.abs(table - np.clip(real, -128, 127)).max() <= 0.51


@pytest.mark.parametrize(("code", "says"), [(5, "divides by 0"), (127, "depends on the processor")])
def test_a_quotient_that_the_interpreter_does_not_define_is_told(code: int, says: str) -> None:
    scale = Quantisation((0.1,), (5,))
    with pytest.raises(RangeError, match=says):
        division_table(scale, scale, scale, code)


@pytest.mark.parametrize("x", [0, 1, 1 << 30, (1 << 31) - 1])
def test_a_reciprocal_is_close(x: int) -> None:
    assert reciprocal_of_one_plus(x) / 2**31 == pytest.approx(1 / (1 + x / 2**31), abs=1e-8)
