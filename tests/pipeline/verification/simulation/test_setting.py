# SPDX-License-Identifier: Apache-2.0
"""The setting's file: what it says, and what is refused in a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.verification.simulation.setting import SETTING, load_setting


def test_the_shipped_network_has_the_hull_of_its_modes() -> None:
    setting = load_setting()
    assert [setting.modes[i] for i in setting.hull] == ["20.20.20", "40.40.40", "40.40.44", "44.44.44", "88.88.88"]
    assert setting.mixed(0) == 0
    top = setting.cycles[setting.hull[-1]]
    assert setting.mixed(2 * top) == setting.accuracy[setting.hull[-1]]
    a, b = (setting.hull[k] for k in (1, 2))
    half = setting.mixed((setting.cycles[a] + setting.cycles[b]) / 2)
    assert half == pytest.approx((setting.accuracy[a] + setting.accuracy[b]) / 2)


def test_a_board_s_inference() -> None:
    board = load_setting().boards["nrf52840"]
    # 3.3 mA at 3 V for a second of 64 MHz.
    assert board.millijoules(64e6) == pytest.approx(9.9)
    assert board.sleep_mw == pytest.approx(0.00948)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("active_ma = 3.3 ", "active_ma = 0 ", "boards.nrf52840: currents, clock and voltage"),
        ("accuracy = 0.9093", "accuracy = 90.93", "each with accuracy in 0..1"),
        ("active_ma = 3.3 ", "activ_ma = 3.3 ", "activ_ma"),
        ('"20.22.22", "20.20.20"]', '"20.22.22"]', "one more than thresholds"),
        ("[network]", "[network", "cannot be read"),
        ("wait_factor = 1.075", "", "'wait_factor' is missing or wrong"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = SETTING.read_text()
    assert old in text
    file = tmp_path / "setting.toml"
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(DimmerError, match=told):
        load_setting(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"none\.toml cannot be read"):
        load_setting(tmp_path / "none.toml")
