# SPDX-License-Identifier: Apache-2.0
"""Joulescope's own recordings, written and read by pyjls."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.measurement.jls import MARK, read_jls
from tests.pipeline.energy.measurement.traces import RATE, VOLTS, current, high

HERE = importlib.util.find_spec("pyjls") is not None
needs_pyjls = pytest.mark.skipif(not HERE, reason="pyjls is not installed: pip install 'dimmer-nn[measure]'")


def write(path: Path, names: tuple[str, ...]) -> Path:
    from pyjls import DataType, SignalType, SourceDef, Writer

    values = {"current": current() / 1000, "voltage": np.full(len(current()), VOLTS)}
    values["power"] = values["current"] * VOLTS
    with Writer(str(path)) as file:
        file.source_def_from_struct(SourceDef(1, "a test", "", "", "", ""))
        for number, name in enumerate(names, start=1):
            analog = name in values
            file.signal_def(
                signal_id=number,
                source_id=1,
                signal_type=SignalType.FSR,
                data_type=DataType.F32 if analog else DataType.U1,
                sample_rate=RATE,
                name=name,
                units="A",
            )
            if analog:
                file.fsr_f32(number, 0, values[name].astype(np.float32))
            else:
                file.fsr(number, 0, np.packbits(high(), bitorder="little"))
    return path


@needs_pyjls
def test_current_voltage_and_inputs(tmp_path: Path) -> None:
    path = write(tmp_path / "js.jls", ("current", "voltage", "INPUT 0"))
    assert path.read_bytes().startswith(MARK)
    found = read_jls(path)
    assert found.interval_s == pytest.approx(1 / RATE)
    assert found.milliamperes == pytest.approx(current(), rel=1e-6)
    assert found.milliwatts == pytest.approx(VOLTS * current(), rel=1e-6)
    assert found.millivolts == pytest.approx(3000)
    assert found.pins is not None
    assert np.array_equal(found.pins[:, 0], high())


@needs_pyjls
def test_power_alone_is_enough_and_voltage_alone_is_not(tmp_path: Path) -> None:
    found = read_jls(write(tmp_path / "power.jls", ("power",)))
    assert found.milliamperes is None
    assert found.milliwatts == pytest.approx(VOLTS * current(), rel=1e-6)
    with pytest.raises(DimmerError, match="it holds voltage: record current or power"):
        read_jls(write(tmp_path / "volts.jls", ("voltage",)))


@needs_pyjls
def test_a_broken_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "js.jls"
    path.write_bytes(MARK + b"x" * 100)
    with pytest.raises(DimmerError, match="pyjls cannot read it") as caught:
        read_jls(path)
    assert "\n" not in str(caught.value)


def test_without_pyjls_the_line_to_type_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dimmer.pipeline.core.extras._is_installed", lambda _name: False)
    with pytest.raises(DimmerError, match=r"pyjls not installed: type pip install 'dimmer-nn\[measure\]'"):
        read_jls(tmp_path / "js.jls")
