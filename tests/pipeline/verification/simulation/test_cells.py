# SPDX-License-Identifier: Apache-2.0
"""Cells: their tables, and where a load finds them empty."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.verification.simulation.cells import cell_named, cells


def test_every_cell_has_a_source_and_a_voltage_that_hardly_falls_with_charge() -> None:
    assert set(cells()) == {"li-ion", "lifepo4", "alkaline", "cr2032", "supercapacitor"}
    for cell in cells().values():
        assert len(cell.volts) == 11
        assert all(b > a - 0.005 for a, b in pairwise(cell.volts))
        assert len(cell.source) > 20


def test_load_and_cold_lower_the_voltage() -> None:
    cell = cell_named("cr2032")
    assert cell.volts_at(1, 0, 20) == pytest.approx(2.985)
    assert cell.volts_at(0.5, 3.3, 20) == pytest.approx(2.927 - 25 * 0.0033)
    assert cell.volts_at(0.5, 3.3, -10) == pytest.approx(2.927 - 2.5 * 25 * 0.0033)
    assert cell.capacity_at(25) == 1
    assert cell.capacity_at(-10) == pytest.approx(cell.cold_capacity)


def test_a_board_of_23_ma_browns_a_coin_cell_out() -> None:
    coin = cell_named("cr2032")
    assert coin.unusable(3.3, 1.8, 20) == 0
    warm, cold = (coin.unusable(23.3, 1.71, celsius) for celsius in (20, -10))
    assert 0.03 < warm < 0.15
    assert cold > warm + 0.1
    assert coin.unusable(300, 1.8, 20) == 1


def test_a_supercapacitor_s_charge_is_energy() -> None:
    volts = cell_named("supercapacitor").volts
    for tenth, volt in enumerate(volts):
        assert (volt**2 - volts[0] ** 2) / (volts[-1] ** 2 - volts[0] ** 2) == pytest.approx(tenth / 10, abs=1e-3)


def test_an_unknown_cell_is_told() -> None:
    with pytest.raises(DimmerError, match="no cell is called lemon: take one of li-ion"):
        cell_named("lemon")
