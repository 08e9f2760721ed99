# SPDX-License-Identifier: Apache-2.0
"""Constants of energy: boards' files, what a target says on top, what was measured, and what a mistake says."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.targets import TargetError, load_target
from dimmer.targets.kit.schema import Table
from dimmer.targets.power.constants import (
    CONSTANTS,
    FOLDER,
    Energy,
    board_names,
    energy_of,
    load_board,
    measured_files,
    waits_modelled,
    with_measured,
)

WANTED = {
    *("nrf52840dk", "nucleo-l4r5zi", "nucleo-f446re", "nucleo-h743zi", "nucleo-u575zi-q", "pico", "pico2", "esp32c3"),
    "jetson-orin-nano",
}


def constant(name: str, value: float = 100, more: str = "") -> str:
    return f'[energy.{name}]\nvalue = {value}\nplus_minus = 10\nsource = "a paper"\n{more}\n'


OWN = '[energy]\nregulator = "linear"\n' + constant("supply_mv") + constant("clock_mhz") + constant("cycle_pc", 200)


def read(folder: Path, text: str) -> Energy:
    path = folder / "target.toml"
    path.write_text(text)
    return energy_of(Table.read(path).table("energy"), folder)


@pytest.mark.parametrize("name", board_names())
def test_every_board_has_constants_that_can_be(name: str) -> None:
    energy = load_board(name)
    assert energy.board == name
    for key, one in energy.constants.items():
        assert one.source, key
        assert 0 <= one.relative <= 1, key
        assert one.measured_on is None
    assert 1 <= energy.wait_factor.value <= 1.2
    assert energy.sleep_ua is not None
    assert (energy.cycle_pc is None) or (energy.linear and energy.cycle_pj is None)
    text = (FOLDER / f"{name}.toml").read_text()
    assert text.startswith("# SPDX-License-Identifier: Apache-2.0\n")


def test_the_boards_that_targets_refer_to_are_there() -> None:
    assert set(board_names()) >= WANTED
    with pytest.raises(TargetError, match=r"no board 'lamp' in targets/power: name one of esp32c3"):
        load_board("lamp")


def test_energies_of_a_cycle_are_those_that_were_published() -> None:
    """Nanojoules a cycle, MLPerf Tiny v1.2 and v1.3, ResNet-8."""
    l4r5, u575, h7a3 = (load_board(name) for name in ("nucleo-l4r5zi", "nucleo-u575zi-q", "nucleo-h7a3zi-q"))
    assert l4r5.cycle_pc is not None
    assert l4r5.cycle_pc.value * l4r5.supply_mv.value / 1e6 == pytest.approx(6919 / (165.1 * 120), rel=0.01)
    assert u575.cycle_pj is not None
    assert u575.cycle_pj.value / 1000 == pytest.approx(2565 / (109.5 * 160), rel=0.01)
    assert h7a3.cycle_pj is not None
    assert h7a3.cycle_pj.value / 1000 == pytest.approx(5090 / (40.8 * 280), rel=0.01)


def test_a_target_may_have_all_constants_of_its_own(tmp_path: Path) -> None:
    energy = read(tmp_path, OWN)
    assert energy.board is None
    assert energy.cycle_pc is not None
    assert energy.cycle_pc.value == 200
    assert energy.sleep_ua is None
    assert set(energy.constants) == {"supply_mv", "clock_mhz", "cycle_pc", "wait_factor"}


def test_what_a_target_says_counts_before_its_board(tmp_path: Path) -> None:
    energy = read(tmp_path, '[energy]\nboard = "nucleo-l4r5zi"\n' + constant("clock_mhz", 26))
    board = load_board("nucleo-l4r5zi")
    assert energy.clock_mhz.value == 26
    assert (energy.cycle_pc, energy.sleep_ua, energy.board) == (board.cycle_pc, board.sleep_ua, "nucleo-l4r5zi")


def test_another_regulator_takes_the_boards_cycle_away(tmp_path: Path) -> None:
    start = '[energy]\nboard = "nucleo-l4r5zi"\nregulator = "switched"\n'
    energy = read(tmp_path, start + constant("cycle_pj", 276))
    assert energy.cycle_pc is None
    assert energy.cycle_pj is not None
    with pytest.raises(TargetError, match="'cycle_pj' is missing: say what a cycle takes"):
        read(tmp_path, start)


def test_a_board_of_the_users_is_a_file_beside_the_target(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('description = "mine"\n' + OWN)
    energy = read(tmp_path, '[energy]\nboard = "./mine.toml"\n')
    assert energy.board == "mine"
    assert energy.cycle_pc is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[energy]\nboard = "lamp"\n', "'board' is 'lamp': give it one of esp32c3"),
        ('[energy]\nboard = "../lamp.toml"\n', "there is no file ../lamp.toml in"),
        ('[energy]\nboard = "pico"\nvolts = 3\n', "energy: unknown key 'volts'"),
        ('[energy]\nboard = "pico"\nnanojoules_per_cycle = 0.3\n', "energy: unknown key 'nanojoules_per_cycle'"),
        ("[energy]\n", "'regulator' is missing: give it, or a 'board' that has it"),
        (OWN.replace("linear", "steam"), "'regulator' is 'steam': give it one of linear, switched"),
        (OWN.replace("cycle_pc", "cycle_pj"), "'cycle_pj' does not go with a linear regulator: give 'cycle_pc'"),
        (OWN.replace("[energy.cycle_pc]", "[energy.sleep_ua]"), "'cycle_pc' is missing"),
        (OWN.replace("value = 200", "value = 0"), "energy: cycle_pc: 'value' is 0: give it a number above 0"),
        (OWN.replace("value = 200", "value = nan"), "'value' is nan: give it a number above 0"),
        (OWN.replace("value = 200", 'value = "200"'), "'value' is '200': give it a number"),
        (OWN.replace("value = 200", ""), "energy: cycle_pc: 'value' is missing"),
        (OWN.replace("plus_minus = 10", "plus_minus = -1", 1), "'plus_minus' is -1: give it a number from 0"),
        (OWN.replace("plus_minus = 10\n", "", 1), "energy: supply_mv: 'plus_minus' is missing"),
        (OWN.replace('source = "a paper"\n', "", 1), "energy: supply_mv: 'source' is missing"),
        (OWN + "unit = 1\n", "energy: cycle_pc: unknown key 'unit'"),
        (OWN + constant("wait_factor", 1000), "'value' is 1000: give it a number above 0 and up to 100"),
        (OWN.replace("value = 200", "value = 200\nmeasured_on = 3"), "'measured_on' is 3: give it a string"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TargetError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


MEASURED = (
    '[energy.cycle_pc]\nvalue = 190\nplus_minus = 2\nsource = "mine"\nmeasured_on = "2026-11-29"\ntrace = "a.csv"\n'
)


def test_measured_constants_count_before_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIMMER_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dimmer.toml").write_text("[project]\n")
    energy = load_board("nucleo-l4r5zi")
    places = measured_files(tmp_path / "lock", "lock")
    assert places == (tmp_path / "lock" / "measured.toml", tmp_path / "measured" / "lock.toml")
    assert with_measured(energy, tmp_path / "lock", "lock") == energy
    for number, place in enumerate(places):
        place.parent.mkdir()
        place.write_text(MEASURED.replace("190", str(190 + number)))
        found = with_measured(energy, tmp_path / "lock", "lock")
        assert found is not None
        assert found.cycle_pc is not None
        assert found.cycle_pc.value == 190 + number
        assert (found.cycle_pc.measured_on, found.cycle_pc.trace) == ("2026-11-29", "a.csv")
        assert found.sleep_ua == energy.sleep_ua
    places[1].write_text(MEASURED + "[other]\n")
    with pytest.raises(TargetError, match=r"lock\.toml.*unknown key 'other'"):
        with_measured(energy, tmp_path / "lock", "lock")


def test_a_shipped_target_takes_what_a_project_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIMMER_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dimmer.toml").write_text("[project]\n")
    (tmp_path / "measured").mkdir()
    (tmp_path / "measured" / "mps2-an386.toml").write_text(MEASURED)
    energy = load_target("mps2-an386").energy
    assert energy is not None
    assert energy.cycle_pc is not None
    assert energy.cycle_pc.value == 190


def test_wait_states_that_are_modelled_are_not_counted_twice() -> None:
    energy = load_board("nucleo-l4r5zi")
    assert energy.wait_factor.value == pytest.approx(1.08)
    assert waits_modelled(energy).wait_factor.value == 1


def test_every_constant_has_a_unit_in_its_name_or_none() -> None:
    units = ("_mv", "_mhz", "_pc", "_pj", "_mw", "_ua", "_uc")
    bare = {name for name in CONSTANTS if not name.endswith(units)}
    assert bare == {"wait_factor", "cycles_per_instruction"}
