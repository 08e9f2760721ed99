# SPDX-License-Identifier: Apache-2.0
"""The battery of a Linux board, read from a tree like /sys that each test makes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.targets.linux.c_program import compile_program

MAIN = """
#include <stdio.h>
#include <stdlib.h>
#include "battery.h"

int main(int argc, char **argv) {
    battery_source_t source = {argv[1], 0u, 0u, 0u};
    dimmer_battery_t now = {0};
    char why[DIMMER_MESSAGE];

    if (argc == 5) {
        source.channel = (unsigned)atoi(argv[2]);
        source.empty_mv = (uint16_t)atoi(argv[3]);
        source.full_mv = (uint16_t)atoi(argv[4]);
    }
    if (!battery_read(&source, &now, why)) {
        puts(why);
        return 1;
    }
    printf("%u %u %u %u", (unsigned)now.charge_permille, (unsigned)now.millivolts, (unsigned)now.harvest_ua,
           (unsigned)(now.flags & DIMMER_EXTERNAL_POWER));
    return 0;
}
"""
UNKNOWN_MV = 65535


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_program(MAIN, ["battery.c"], tmp_path_factory.mktemp("battery"))


def supply(folder: Path, **files: str | int) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(f"{content}\n")
    return folder


def read(program: Path, path: Path, *options: int) -> tuple[int, int, int]:
    charge, millivolts, harvest, _powered = numbers(program, path, *options)
    return charge, millivolts, harvest


def numbers(program: Path, path: Path, *options: int) -> list[int]:
    command = [str(program), str(path), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(number) for number in done.stdout.split()]


def refusal(program: Path, path: Path, *options: int) -> str:
    command = [str(program), str(path), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("\n") == 1
    return done.stdout


def test_charge_comes_from_the_finest_gauge(program: Path, tmp_path: Path) -> None:
    supply(
        tmp_path / "BAT0",
        type="Battery",
        status="Discharging",
        charge_now=1_234_000,
        charge_full=2_000_000,
        capacity=61,
        voltage_now=3_712_345,
        current_now=400_000,
    )
    assert read(program, tmp_path) == (617, 3712, 0)
    (tmp_path / "BAT0" / "charge_full").unlink()
    assert read(program, tmp_path) == (610, 3712, 0)
    (tmp_path / "BAT0" / "energy_now").write_text("5\n")
    (tmp_path / "BAT0" / "energy_full").write_text("8\n")
    assert read(program, tmp_path) == (625, 3712, 0)


def test_charging_current_is_harvest(program: Path, tmp_path: Path) -> None:
    supply(tmp_path / "bat", type="Battery", status="Charging", capacity=100, current_now=250_000)
    assert read(program, tmp_path) == (1000, UNKNOWN_MV, 250_000)


@pytest.mark.parametrize(
    ("status", "powered", "harvest_ua"),
    [
        ("Charging", 1, 250_000),
        ("Full", 1, 0),
        ("Not charging", 1, 0),
        ("Discharging", 0, 0),
        ("Unknown", 0, 0),
    ],
)
def test_a_battery_that_nobody_draws_from_is_no_reason_to_dim(
    program: Path, tmp_path: Path, status: str, powered: int, harvest_ua: int
) -> None:
    supply(tmp_path / "bat", type="Battery", status=status, capacity=80, current_now=250_000)
    assert numbers(program, tmp_path) == [800, UNKNOWN_MV, harvest_ua, powered]


def test_first_battery_by_name_and_no_mouse_and_no_mains(program: Path, tmp_path: Path) -> None:
    supply(tmp_path / "AC", type="Mains", online=1)
    supply(tmp_path / "BATmouse", type="Battery", scope="Device", capacity=3)
    supply(tmp_path / "bq2", type="Battery", scope="System", capacity=20)
    supply(tmp_path / "bq1", type="Battery", capacity=10)
    assert read(program, tmp_path)[0] == 100
    assert read(program, tmp_path / "bq2")[0] == 200


@pytest.mark.parametrize(("capacity", "permille"), [(-5, 0), (0, 0), (100, 1000), (140, 1000)])
def test_charge_stays_within_its_range(program: Path, tmp_path: Path, capacity: int, permille: int) -> None:
    supply(tmp_path / "bat", type="Battery", capacity=capacity)
    assert read(program, tmp_path)[0] == permille


@pytest.mark.parametrize("most", [2**63 - 1, 10**30, -(2**63), -(10**30)])
def test_numbers_that_no_gauge_tells(program: Path, tmp_path: Path, most: int) -> None:
    supply(tmp_path / "bat", type="Battery", charge_now=most, charge_full=1000, voltage_now=most, capacity=most)
    assert read(program, tmp_path)[0] == (1000 if most > 0 else 0)
    (tmp_path / "bat" / "charge_full").unlink()
    assert read(program, tmp_path)[0] == (1000 if most > 0 else 0)
    chip = supply(tmp_path / "hwmon3", name="ina3221", in1_input=most)
    assert read(program, chip, 1, 0, 65535)[0] == (1000 if most > 0 else 0)


@pytest.mark.parametrize(("millivolts", "permille"), [(8000, 0), (9000, 0), (10800, 500), (12600, 1000), (19000, 1000)])
def test_ina3221_takes_volts_for_charge(program: Path, tmp_path: Path, millivolts: int, permille: int) -> None:
    chip = supply(tmp_path / "hwmon3", name="ina3221", in1_input=5000, in2_input=millivolts)
    assert read(program, chip, 2, 9000, 12600) == (permille, millivolts, 0)


def test_ina3221_needs_to_know_what_the_volts_mean(program: Path, tmp_path: Path) -> None:
    chip = supply(tmp_path / "hwmon3", name="ina3221", in1_input=5000)
    assert "--battery-empty-mv" in refusal(program, chip)
    assert "in3_input" in refusal(program, chip, 3, 9000, 12600)


def test_no_battery_is_a_line_with_a_way_out(program: Path, tmp_path: Path) -> None:
    supply(tmp_path / "AC", type="Mains", online=1)
    for path in (tmp_path, tmp_path / "nothing"):
        assert f"no battery in {path}: " in refusal(program, path)
        assert "--battery PERCENT" in refusal(program, path)


@pytest.mark.parametrize("capacity", ["", "full", "50%"])
def test_a_gauge_that_tells_nothing_is_named(program: Path, tmp_path: Path, capacity: str) -> None:
    supply(tmp_path / "bat", type="Battery", capacity=capacity, voltage_now=3_700_000)
    assert "bat tells no charge" in refusal(program, tmp_path)
