# SPDX-License-Identifier: Apache-2.0
"""Clear skies and clouds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.extras import missing_packages
from dimmer.pipeline.verification.simulation.sun import clear_sky, clouds


def test_clouds_are_seeded_lie_in_their_range_and_last() -> None:
    one, same = (clouds(365, 300, np.random.default_rng(7)) for _ in range(2))
    assert (one == same).all()
    assert one.shape == (365, 300)
    assert one.min() >= 0.08
    assert one.max() <= 1
    assert one[5:].mean() == pytest.approx(0.6, abs=0.03)
    today, tomorrow = one[5:-1].ravel(), one[6:].ravel()
    assert np.corrcoef(today, tomorrow)[0, 1] == pytest.approx(0.6, abs=0.06)


def test_a_csv_file_is_taken_hour_by_hour(tmp_path: Path) -> None:
    file = tmp_path / "roof.csv"
    file.write_text("hour,watts_m2\n" + "".join(f"{h},{10 * h}\n" for h in range(48)))
    assert list(clear_sky(str(file))) == [10.0 * h for h in range(48)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("watts\n1\n", "give a column watts_m2"),
        ("watts_m2\nx\n", "give a column watts_m2 with a number"),
        ("watts_m2\n" + "1\n" * 25, "has 25 hours: give whole days"),
        ("watts_m2\n" + "-1\n" * 24, "are from 0 to 1500"),
        ("watts_m2\n" + "nan\n" * 24, "are from 0 to 1500"),
    ],
)
def test_a_broken_csv_file_is_told(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "roof.csv"
    file.write_text(text)
    with pytest.raises(DimmerError, match=told):
        clear_sky(str(file))


def test_an_unknown_place_is_told() -> None:
    with pytest.raises(DimmerError, match=r"atlantis cannot be read .*: take berlin, madrid, or a CSV file"):
        clear_sky("atlantis")


@pytest.mark.skipif(bool(missing_packages(["pvlib"])), reason="needs pip install 'dimmer-nn[simulate]'")
def test_a_year_of_berlin() -> None:
    watts = clear_sky("berlin")
    assert len(watts) == 8760
    # Published clear-sky sums for 52 degrees lie between 1.5 and 1.7 MWh a square metre.
    assert 1500 < watts.sum() / 1000 < 1700
    june, december = watts[24 * 160 : 24 * 190].mean(), watts[24 * 340 :].mean()
    assert june > 5 * december
