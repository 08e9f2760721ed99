# SPDX-License-Identifier: Apache-2.0
"""What the commands have in common: progress where there is no terminal, errors as one line."""

from __future__ import annotations

import pytest
import typer

from dimmer.calibration.errors import CalibrationError
from dimmer.errors import DimmerError
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.pipeline.core.command import LOG_WIDTH, console, main_of, progress_bar, silence
from dimmer.targets.kit.errors import TargetError


def test_a_log_gets_one_line_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("train") as progress:
        progress("epoch 1", 0.0)
        progress("epoch 1", 0.25)
        progress("epoch 2", 0.5)
    said = capsys.readouterr()
    assert said.err.splitlines() == ["train:   0% epoch 1", "train:  50% epoch 2"]
    assert not said.out


def test_silence_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with silence() as progress:
        progress("epoch 1", 0.0)
    assert capsys.readouterr() == ("", "")


def test_tables_of_a_log_are_as_wide_as_every_table_needs() -> None:
    assert console().width == LOG_WIDTH


@pytest.mark.parametrize("kind", [DimmerError, FirmwareGenError, TargetError, CalibrationError])
def test_an_expected_error_is_one_line_and_status_2(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise kind("the lamp\n  is broken")

    monkeypatch.setattr("sys.argv", ["lamp"])
    with pytest.raises(SystemExit) as stopped:
        main_of(fail)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: the lamp is broken\n"


def test_any_other_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("sys.argv", ["lamp"])
    with pytest.raises(KeyError, match="a bug"):
        main_of(fail)


def test_options_reach_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def shine(bits: int = typer.Option(8, "--bits")) -> None:
        print(f"{bits} bits")

    monkeypatch.setattr("sys.argv", ["lamp", "--bits", "4"])
    with pytest.raises(SystemExit) as ended:
        main_of(shine)
    assert ended.value.code == 0
    assert capsys.readouterr().out == "4 bits\n"
