# SPDX-License-Identifier: Apache-2.0
"""CSV files of power meters: what is in them is read, and what is wrong is one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.measurement.tables import read_named, read_ppk2
from tests.pipeline.energy.measurement.traces import RATE, VOLTS, current, high, joulescope, ppk2

EACH = "D0,D1,D2,D3,D4,D5,D6,D7"


@pytest.mark.parametrize("digital", ["D0-D7", EACH, f"D0-D7,{EACH}", "D7,D1,D0"])
def test_ppk2_has_current_and_inputs(tmp_path: Path, digital: str) -> None:
    found = read_ppk2(ppk2(tmp_path / "ppk.csv", digital))
    assert found.interval_s == pytest.approx(1 / RATE)
    assert found.milliamperes == pytest.approx(current())
    assert found.millivolts is None
    assert found.pins is not None
    assert found.pins.shape[1] == 8
    assert np.array_equal(found.pins[:, 1], high())
    assert np.array_equal(found.pins[:, 0], ~high())
    assert not found.pins[:, 2:].any()


@pytest.mark.parametrize("digital", ["D0-D7", EACH, f"D0-D7,{EACH}"])
def test_inputs_of_an_averaged_ppk2_file_that_changed_or_are_unknown(tmp_path: Path, digital: str) -> None:
    path = tmp_path / "ppk.csv"
    levels = ["-X0", "-00", "-X0", "-10", "-11", "-X1", "-0X", "-0X"]
    lines = [f"Timestamp(ms),Current(uA),{digital}"]
    for number, three in enumerate(levels):
        bits = three + "00000"
        inputs = ",".join(bits if name == "D0-D7" else bits[int(name[1:])] for name in digital.split(","))
        lines.append(f"{number},5.0,{inputs}")
    path.write_text("\n".join(lines) + "\n")
    pins = read_ppk2(path).pins
    assert pins is not None
    assert not pins[:, 0].any(), "nobody knows it"
    assert pins[:, 1].tolist() == [False, False, False, True, True, True, False, False], "as before"
    assert pins[:, 2].tolist() == [False, False, False, False, True, True, True, True]


def test_other_columns_of_a_ppk2_file_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "ppk.csv"
    path.write_text("Timestamp(ms),Current(uA),Note,D2\n" + "".join(f"{n},5,lamp {n},{n % 2}\n" for n in range(6)))
    pins = read_ppk2(path).pins
    assert pins is not None
    assert pins[:, 2].tolist() == [False, True] * 3
    assert not pins[:, [0, 1, 3, 4, 5, 6, 7]].any()


def test_zeros_that_a_table_program_took_away_are_put_back(tmp_path: Path) -> None:
    path = tmp_path / "ppk.csv"
    path.write_text("Timestamp(ms),Current(uA),D0-D7\n" + "".join(f"{n},5,{10 ** (n % 2 * 6)}\n" for n in range(6)))
    pins = read_ppk2(path).pins
    assert pins is not None
    assert pins[:, 1].tolist() == [False, True] * 3
    assert pins[:, 7].tolist() == [True, False] * 3


def test_ppk2_without_inputs(tmp_path: Path) -> None:
    found = read_ppk2(ppk2(tmp_path / "ppk.csv", ""))
    assert found.pins is None
    assert found.milliamperes == pytest.approx(current())


@pytest.mark.parametrize("header", ["time,current,voltage,power", "#time (s),current (A),voltage (V),power (W)"])
def test_joulescope_has_current_voltage_and_power(tmp_path: Path, header: str) -> None:
    found = read_named(joulescope(tmp_path / "js.csv", header))
    assert found.interval_s == pytest.approx(1 / RATE)
    assert found.milliamperes == pytest.approx(current())
    assert found.milliwatts == pytest.approx(VOLTS * current())
    assert found.millivolts == pytest.approx(3000)


def test_units_stand_behind_the_name(tmp_path: Path) -> None:
    path = tmp_path / "js.csv"
    path.write_text("time(ms),current(uA),charge(C)\n0,5,0\n1,6,0\n2,7,0\n3,8,0\n4,9,0\n")
    found = read_named(path)
    assert found.interval_s == pytest.approx(1e-3)
    assert found.milliamperes == pytest.approx([0.005, 0.006, 0.007, 0.008, 0.009])
    assert found.millivolts is None


def test_a_unit_behind_the_name_counts_alone(tmp_path: Path) -> None:
    path = tmp_path / "ina.csv"
    header = "time_ms(ms),milliamperes(mA),millivolts(mV),milliwatts(mW)"
    path.write_text(header + "\n" + "".join(f"{n},6,5000,30\n" for n in range(5)))
    found = read_named(path)
    assert found.interval_s == pytest.approx(1e-3)
    assert found.milliamperes == pytest.approx([6] * 5)
    assert found.millivolts == pytest.approx(5000)
    assert found.milliwatts == pytest.approx([30] * 5)
    path.write_text("time_ms(s),milliamperes(A),milliwatts(uW)\n" + "".join(f"{n},6,30\n" for n in range(5)))
    found = read_named(path)
    assert found.interval_s == pytest.approx(1)
    assert found.milliamperes == pytest.approx([6000] * 5)
    assert found.milliwatts == pytest.approx([0.03] * 5)


def test_a_log_of_the_ina3221_is_such_a_table(tmp_path: Path) -> None:
    path = tmp_path / "ina.csv"
    rows = "".join(f"{number * 0.1:.1f},5000,{2000 if number % 4 == 2 else 600}\n" for number in range(12))
    path.write_text("time_s,millivolts,milliamperes\n" + rows)
    found = read_named(path)
    assert found.millivolts == pytest.approx(5000)
    assert found.milliwatts is not None
    assert found.milliwatts.max() == pytest.approx(10_000)


LINES = ["Timestamp(ms),Current(uA),D0-D7", *(f"{number / 10:.1f},5.0,00000000" for number in range(6))]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Current(uA)", "Voltage(V)", "its first line is 'Timestamp.ms.,Voltage"),
        ("0.2,5.0", "0.2,lamp", "below its first line are no 3 numbers a line: could not convert string 'lamp'"),
        ("0.2,5.0,00000000", "0.2,5.0", "below its first line are no 3 numbers a line: .*number of columns changed"),
        ("0.2,5.0,00000000", "0.2,5.0,00000020", "its digital inputs hold something else than digits of 0, 1, X and -"),
        (
            "0.2,5.0,00000000",
            "0.2,5.0,100000000",
            "its digital inputs hold something else than digits of 0, 1, X and -",
        ),
        ("0.2,5.0,00000000", "0.2,5.0,", "its digital inputs hold something else than digits"),
        ("0.2,", "0.05,", "time steps back|samples are missing"),
        ("0.5,", "7.5,", "samples are missing, or time steps back, behind sample 5"),
        ("\n0.3,5.0,00000000\n0.4,5.0,00000000\n0.5,5.0,00000000", "", "it has 3 lines of 3 numbers: record longer"),
    ],
)
def test_a_broken_ppk2_file_is_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    path, text = tmp_path / "ppk.csv", "\n".join(LINES) + "\n"
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DimmerError, match=message) as caught:
        read_ppk2(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,voltage\n0,1\n1,1\n2,1\n3,1\n", "its columns are 'time,voltage': name them time, and current or power"),
        ("time,current\n0,1\n0,1\n0,1\n0,1\n", "time stands still"),
        ("time,current\n", "lines of|no 2 numbers"),
        ("time,current\n0,1\n1,\n2,1\n3,1\n", "no 2 numbers a line"),
        ("time(min),current\n0,1\n1,1\n2,1\n3,1\n", r"column 'time\(min\)' is not known: s, ms, us, ns are"),
        ("time,current(kA)\n0,1\n1,1\n2,1\n3,1\n", r"column 'current\(kA\)' is not known: A, mA"),
        ("time,current(mW)\n0,1\n1,1\n2,1\n3,1\n", r"column 'current\(mW\)' is not known: A, mA"),
        ("time,current,milliamperes\n0,1,1\n1,1,1\n2,1,1\n3,1,1\n", "two columns tell its milliamperes"),
    ],
)
def test_a_broken_table_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "js.csv"
    path.write_text(text)
    with pytest.raises(DimmerError, match=message) as caught:
        read_named(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="cannot be read: No such file"):
        read_ppk2(tmp_path / "none.csv")
