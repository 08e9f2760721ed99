# SPDX-License-Identifier: Apache-2.0
"""The setting's file: what it says, and what is refused in a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.verification.simulation.setting import SETTING, load_setting
from dimmer.targets.power.constants import FOLDER, load_board


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


def test_constants_are_those_of_targets_power(tmp_path: Path) -> None:
    boards = load_setting().boards
    power = load_board("nucleo-l4r5zi")
    assert power.cycle_pc is not None
    assert power.sleep_ua is not None
    linear = boards["nucleo-l4r5zi"]
    assert linear.millijoules(1e6) == pytest.approx(power.cycle_pc.value * 1e-3 * 3.7)
    assert linear.sleep_ua == power.sleep_ua.value
    # Behind a switched regulator a cycle takes an energy, whatever the battery's voltage.
    (tmp_path / "mine.toml").write_text((FOLDER / "nrf52840dk.toml").read_text())
    text = SETTING.read_text().replace('"nrf52840dk"', '"mine.toml"').replace("volts = 3.0 ", "volts = 2.0 ")
    (tmp_path / "setting.toml").write_text(text)
    own = load_setting(tmp_path / "setting.toml").boards["nrf52840"]
    assert own.volts == 2.0
    assert own.active_ma == pytest.approx(4.95)
    assert own.millijoules(1e6) == pytest.approx(boards["nrf52840"].millijoules(1e6))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('power = "nrf52840dk"', 'power = "lamp"', r"no board 'lamp' in targets/power: name one of esp32c3"),
        ('power = "nrf52840dk"', 'power = "./lamp.toml"', r"lamp\.toml"),
        ("volts = 3.0", "volts = 0", "volts = 0 is missing or wrong"),
        ("accuracy = 0.9093", "accuracy = 90.93", "each with accuracy in 0..1"),
        ("volts = 3.0", "volt = 3.0", "volt, which is no key of a board, is missing or wrong"),
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
