# SPDX-License-Identifier: Apache-2.0
"""Harvest: a clear sky's light hour by hour, from pvlib or from a CSV file, and seeded clouds."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import erf, sqrt
from pathlib import Path

import numpy as np

from dimmer.errors import DimmerError
from dimmer.pipeline.core.extras import require_packages
from dimmer.pipeline.verification.simulation.setting import Floats

_PERSISTENCE, _NOISE = 0.6, 0.8
_LEAST_CLEAR, _CLEAR_EXPONENT = 0.08, 0.8
_MOST_WATTS = 1500.0
"""More than the sun gives on earth."""


@dataclass(frozen=True)
class Place:
    """Where a panel lies."""

    latitude: float
    longitude: float
    zone: str


PLACES: Mapping[str, Place] = {
    "berlin": Place(52.5, 13.4, "Europe/Berlin"),
    "madrid": Place(40.4, -3.7, "Europe/Madrid"),
}


@cache
def clear_sky(place: str) -> Floats:
    """Global horizontal irradiance, watts a square metre, hour by hour from January on.

    Args:
        place: a key of `PLACES`, or a CSV file with a column `watts_m2`, a row an hour.

    Raises:
        DimmerError: no such place; the file cannot be read; pvlib is not installed.
    """
    if place not in PLACES:
        return _from_csv(Path(place))
    require_packages(["pvlib"], "simulate")
    import pandas as pd
    from pvlib.location import Location

    at = PLACES[place]
    hours = pd.date_range("2025-01-01", "2025-12-31 23:00", freq="h", tz=at.zone)
    # Ineichen and Perez, Solar Energy 73 (2002), with the turbidity of a clear day.
    sky = Location(at.latitude, at.longitude, tz=at.zone, altitude=100).get_clearsky(
        hours, model="ineichen", linke_turbidity=3.0
    )
    return np.asarray(sky["ghi"].to_numpy(), np.float64)


def clouds(days: int, count: int, rng: np.random.Generator) -> Floats:
    """What clouds leave of a clear sky's light, day by day: an autoregressive process of first order, about 0.6.

    Returns:
        float64[days, count], 0.08 to 1.
    """
    z = np.zeros((days, count))
    for day in range(1, days):
        z[day] = _PERSISTENCE * z[day - 1] + rng.normal(0, _NOISE, count)
    uniform = 0.5 * (1 + np.vectorize(erf)(z / sqrt(2)))
    return np.asarray(np.clip(0.1 + 0.9 * uniform**_CLEAR_EXPONENT, _LEAST_CLEAR, 1.0), np.float64)


def _from_csv(path: Path) -> Floats:
    try:
        with path.open(newline="") as file:
            watts = [float(row["watts_m2"]) for row in csv.DictReader(file)]
    except OSError as error:
        places = ", ".join(PLACES)
        raise DimmerError(f"{path} cannot be read ({error.strerror}): take {places}, or a CSV file") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DimmerError(f"{path}: {error}: give a column watts_m2 with a number a row, a row an hour") from error
    if len(watts) < 24 or len(watts) % 24:
        raise DimmerError(f"{path} has {len(watts)} hours: give whole days, from midnight on")
    if not all(0 <= w <= _MOST_WATTS for w in watts):
        raise DimmerError(f"{path}: watts a square metre are from 0 to {_MOST_WATTS:g}")
    return np.array(watts)
