# SPDX-License-Identifier: Apache-2.0
"""Figures are rounded to what their uncertainty deserves."""

from __future__ import annotations

import pytest

from dimmer.pipeline.artifacts.energy import Quantity


@pytest.mark.parametrize(
    ("value", "relative", "rounded"),
    [
        (2412.3, 0.12, (2400, 2100, 2700)),
        (2412.3, 0.05, (2410, 2290, 2530)),
        (0.034567, 0.1, (0.035, 0.031, 0.038)),
        (165.1, 0.01, (165.1, 163.4, 166.8)),
        (0.0, 0.1, (0, 0, 0)),
        (1234567.0, 0.0, (1230000, 1230000, 1230000)),
        (10.0, 2.0, (10, 0, 30)),
    ],
)
def test_a_value_ends_where_its_uncertainty_begins(
    value: float, relative: float, rounded: tuple[float, float, float]
) -> None:
    found = Quantity.of(value, relative)
    assert (found.value, found.low, found.high) == rounded
    assert found.plus_minus == pytest.approx((rounded[2] - rounded[1]) / 2)


def test_an_interval_need_not_be_even() -> None:
    assert Quantity.between(17.4, 15.1, 20.3) == Quantity(17, 15, 20)


def test_for_people() -> None:
    assert Quantity(2400, 2100, 2700).text("uJ") == "2,400 (2,100 to 2,700) uJ"
    assert Quantity(3, 3, 3).text() == "3"


@pytest.mark.parametrize(
    ("quantity", "divisor", "parts"),
    [
        (Quantity(5000, 4200, 5800), 1000, ("5.0", "4.2 to 5.8")),
        (Quantity(9000, 8000, 10_000), 1000, ("9", "8 to 10")),
        (Quantity(240, 210, 270), 1, ("240", "210 to 270")),
        (Quantity(2.0, 1.9, 2.15), 1, ("2.00", "1.90 to 2.15")),
        (Quantity(1234, 1230, 1238), 1000, ("1.234", "1.230 to 1.238")),
        (Quantity(165.1, 163.4, 166.8), 1000, ("0.1651", "0.1634 to 0.1668")),
        (Quantity(0, 0, 0), 1, ("0", "")),
    ],
)
def test_decimals_are_those_that_are_known(quantity: Quantity, divisor: float, parts: tuple[str, str]) -> None:
    assert quantity.parts(divisor) == parts
