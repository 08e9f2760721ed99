# SPDX-License-Identifier: Apache-2.0
"""`dimmer measure`: a trace becomes constants of the user's target, and the next report is a measured one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.inference import drawn, energy_note
from dimmer.pipeline.measure import main
from dimmer.targets import load_target
from tests.pipeline.energy.measurement.traces import CHARGE_UC, SECONDS, ppk2

CYCLES = 2_000_000


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DIMMER_PROJECT", "DIMMER_TARGETS", "DIMMER_MODELS", "DIMMER_BUILD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "dimmer.toml").write_text("[project]\n")
    report = tmp_path / "build" / "mnist5k-r14" / "mps2-an386" / "report.json"
    report.parent.mkdir(parents=True)
    report.write_text(json.dumps({"modes": [{"name": "88.88.88", "cycles": CYCLES}]}))
    return tmp_path


def test_a_measured_board_replaces_the_modelled_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = ppk2(project / "ppk.csv", "D0-D7")
    assert energy_note(load_target("mps2-an386"), True).startswith("modelled")
    main(trace, mode="88.88.88", volts=3.0, pin=1, asleep=True, day="2026-11-29", write=True)
    said = capsys.readouterr().out
    assert "200 uC" in said
    assert "600 uJ" in said
    assert "5 inferences in 5 stretches, 3 V, 10 mA" in said
    assert str(project / "measured" / "mps2-an386.toml") in said
    target = load_target("mps2-an386")
    one = drawn(target.energy, None, CYCLES)
    assert one is not None
    assert one.microcoulombs == pytest.approx(CHARGE_UC, rel=1e-3)
    assert one.seconds == pytest.approx(SECONDS, rel=1e-3)
    assert energy_note(target, True).startswith("measured: cycles x wait factor 1.2 x 83.333 pC x 3 V")
    assert "ppk.csv, 2026-11-29, 5 inferences" in energy_note(target, True)


@pytest.mark.parametrize("clock_mhz", [None, 4.0])
def test_a_board_at_the_clock_of_its_reset(
    project: Path, capsys: pytest.CaptureFixture[str], clock_mhz: float | None
) -> None:
    main(ppk2(project / "ppk.csv", ""), target="nucleo-l4r5zi", volts=3.0, clock_mhz=clock_mhz, write=True)
    assert "measured at 4 MHz: with these constants reports tell time and energy at that clock, not at 120 MHz" in (
        capsys.readouterr().out
    )
    energy = load_target("nucleo-l4r5zi").energy
    assert energy is not None
    assert energy.clock_mhz.value == 4
    one = drawn(energy, None, round(SECONDS * 4e6))
    assert one is not None
    assert one.microcoulombs == pytest.approx(CHARGE_UC, rel=1e-3)
    assert one.seconds == pytest.approx(SECONDS, rel=1e-3)


def test_nothing_is_written_unless_asked(project: Path) -> None:
    main(ppk2(project / "ppk.csv", ""), volts=3.0)
    assert not (project / "measured").exists()


def test_mistakes_are_told_before_the_trace_is_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = project / "none.csv"
    with pytest.raises(DimmerError, match="has no mode '44'"):
        main(none, mode="44", volts=3.0)
    with pytest.raises(DimmerError, match=r"targets/host/target\.toml has no \[energy\]"):
        main(none, target="host")
    with pytest.raises(DimmerError, match=r"none\.csv: cannot be read"):
        main(none, volts=3.0)
    with pytest.raises(DimmerError, match="give it as YYYY-MM-DD"):
        main(ppk2(project / "ppk.csv", ""), volts=3.0, day="yesterday")
    (project / "dimmer.toml").unlink()
    with pytest.raises(DimmerError, match="this is no project"):
        main(none, write=True)
