# SPDX-License-Identifier: Apache-2.0
"""Cells: voltage over charge, resistance, cold, self-discharge; the tables are in `cells.toml`, with their sources."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dimmer.errors import DimmerError

YEAR_S = 365 * 86_400
Floats = npt.NDArray[np.float64]
_WARM_C, _COLD_C = 20.0, -10.0


@dataclass(frozen=True)
class Cell:
    """A kind of cell.

    Attributes:
        volts: open circuit, at 0, 10 ... 100 % of charge.
        ohms: internal, at 20 degrees Celsius.
        cold_ohms: how many times as many at -10.
        cold_capacity: share of the capacity that is left at -10.
        self_discharge: share of the capacity that a year takes, over 1 for what leaks away in less.
        source: of these figures.
    """

    volts: tuple[float, ...]
    ohms: float
    cold_ohms: float
    cold_capacity: float
    self_discharge: float
    source: str

    def capacity_at(self, celsius: float) -> float:
        """Share of the capacity that is there: all at 20 degrees and above, a line from there on."""
        return 1 - (1 - self.cold_capacity) * _cold(celsius)

    def volts_at(self, charge: float, milliamperes: float, celsius: float) -> float:
        """Volts under load.

        Args:
            charge: 0..1.
        """
        return float(self._open_circuit(np.array(charge)) - milliamperes / 1000 * self._ohms_at(celsius))

    def _open_circuit(self, charges: Floats) -> Floats:
        return np.asarray(np.interp(charges, np.linspace(0, 1, len(self.volts)), self.volts))

    def _ohms_at(self, celsius: float) -> float:
        return float(self.ohms * self.cold_ohms ** _cold(celsius))

    def unusable(self, milliamperes: float, brown_out_volts: float, celsius: float) -> float:
        """Share of the charge that is left when the load's voltage falls under the brown-out's; 1: it never works."""
        drop = milliamperes / 1000 * self._ohms_at(celsius)
        charges = np.linspace(0, 1, 1001)
        works = self._open_circuit(charges) - drop >= brown_out_volts
        if works.all():
            return 0.0
        # From the top: a table may have a dip.
        return float(1 - charges[works[::-1].argmin()] + charges[1]) if works[-1] else 1.0

    def leak(self, capacity: float) -> float:
        """What of a capacity a second takes by itself."""
        return capacity * self.self_discharge / YEAR_S


def _cold(celsius: float) -> float:
    """0 at 20 degrees and above, 1 at -10."""
    return max(0.0, (_WARM_C - celsius) / (_WARM_C - _COLD_C))


@cache
def cells() -> Mapping[str, Cell]:
    """Every kind of cell by its name."""
    tables = tomllib.loads(Path(__file__).with_name("cells.toml").read_text())
    return {name: Cell(**{**table, "volts": tuple(table["volts"])}) for name, table in tables.items()}


def cell_named(name: str) -> Cell:
    """The cell of that name.

    Raises:
        DimmerError: there is none.
    """
    if name not in cells():
        raise DimmerError(f"no cell is called {name}: take one of {', '.join(cells())}")
    return cells()[name]
