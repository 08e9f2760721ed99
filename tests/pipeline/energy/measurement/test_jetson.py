# SPDX-License-Identifier: Apache-2.0
"""tegrastats: the power of a rail, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.measurement.jetson import looks_like_tegrastats, read_tegrastats

LINE = (
    "11-29-2026 04:00:0{0} RAM 2448/7620MB (lfb 4x4MB) SWAP 0/3810MB CPU [12%@1510,3%@1510] GR3D_FREQ 76% "
    "cpu@45.1C VDD_IN {1}mW/5001mW VDD_CPU_GPU_CV 1500mW/1480mW VDD_SOC 1400mW/1390mW"
)


def test_power_of_a_rail(tmp_path: Path) -> None:
    path = tmp_path / "tegra.log"
    path.write_text("\n".join(LINE.format(number, 5000 + number) for number in range(6)) + "\n")
    found = read_tegrastats(path, "VDD_IN", 900)
    assert found.interval_s == 0.9
    assert found.milliwatts is not None
    assert found.milliwatts.tolist() == [5000, 5001, 5002, 5003, 5004, 5005]
    soc = read_tegrastats(path, "VDD_SOC", 1000)
    assert soc.milliwatts is not None
    assert soc.milliwatts.tolist() == [1400] * 6


def test_older_versions_write_no_unit(tmp_path: Path) -> None:
    path = tmp_path / "tegra.log"
    path.write_text("RAM 1/2MB CPU [1%@1510] VDD_IN 5123/5001 VDD_SOC 1400/1390\n" * 4)
    found = read_tegrastats(path, "VDD_IN", 1000)
    assert found.milliwatts is not None
    assert found.milliwatts.tolist() == [5123] * 4


def test_its_lines_are_known() -> None:
    assert looks_like_tegrastats(LINE.format(0, 5000))
    assert not looks_like_tegrastats("RAM 1/2MB CPU [1%@1510]")
    assert not looks_like_tegrastats("time,current")


def test_a_missing_rail_names_those_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "tegra.log"
    path.write_text(LINE.format(0, 5000) + "\nRAM 1/2MB\n")
    with pytest.raises(DimmerError, match=r"line 1 has no rail 'VDD_GPU', but VDD_IN, VDD_CPU_GPU_CV, VDD_SOC: name"):
        read_tegrastats(path, "VDD_GPU", 1000)
    with pytest.raises(DimmerError, match="line 2 is no whole line of tegrastats: cut the log there"):
        read_tegrastats(path, "VDD_IN", 1000)
    with pytest.raises(DimmerError, match="cannot be read"):
        read_tegrastats(tmp_path / "none", "VDD_IN", 1000)


def test_another_interval_than_the_lines_tell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tegra.log"
    path.write_text("\n".join(LINE.format(number // 10, 5000) for number in range(60)) + "\n")
    assert read_tegrastats(path, "VDD_IN", 100).interval_s == 0.1
    with pytest.raises(DimmerError, match=r"its lines are 85 ms apart by their own times, not 1000: name it with"):
        read_tegrastats(path, "VDD_IN", 1000)
    with pytest.raises(DimmerError, match="times, not 10:"):
        read_tegrastats(path, "VDD_IN", 10)
