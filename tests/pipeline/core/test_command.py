# SPDX-License-Identifier: Apache-2.0
"""What the commands have in common: however one ends, it is a line and a status."""

from __future__ import annotations

import pytest
import typer

from dimmer.calibration.errors import CalibrationError
from dimmer.endings import STOPPED
from dimmer.errors import DimmerError
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.pipeline.core.command import INTERRUPTED, at_stop, exit_status, main_of
from dimmer.targets.kit.errors import TargetError


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


def test_any_other_error_is_one_line_that_names_it_and_status_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("sys.argv", ["lamp"])
    with pytest.raises(SystemExit) as stopped:
        main_of(fail)
    assert stopped.value.code == 70
    said = capsys.readouterr().err
    assert said.startswith("error: a fault in Dimmer, KeyError: 'a bug' (tests/pipeline/core/test_command.py, line ")
    assert said.count("\n") == 1
    monkeypatch.setenv("DIMMER_DEBUG", "1")
    with pytest.raises(SystemExit):
        main_of(fail)
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--watts", "4"], ["--bits"], ["--bits", "many"], ["more"]])
def test_a_wrong_argument_is_one_line_and_status_2(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def shine(bits: int = typer.Option(8, "--bits")) -> None:
        print(bits)

    monkeypatch.setattr("sys.argv", ["lamp", *words])
    with pytest.raises(SystemExit) as ended:
        main_of(shine)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.endswith("; --help tells what there is\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize(("result", "status"), [(None, 0), (0, 0), (3, 3), (True, 0), ("text", 0)])
def test_a_status_is_a_number(result: object, status: int) -> None:
    assert exit_status(lambda: result) == status


def test_a_command_may_exit_itself() -> None:
    def leave() -> None:
        raise SystemExit(5)

    assert exit_status(leave) == 5


def test_options_reach_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def shine(bits: int = typer.Option(8, "--bits")) -> None:
        print(f"{bits} bits")

    monkeypatch.setattr("sys.argv", ["lamp", "--bits", "4"])
    with pytest.raises(SystemExit) as ended:
        main_of(shine)
    assert ended.value.code == 0
    assert capsys.readouterr().out == "4 bits\n"


def test_a_command_that_works_elsewhere_says_what_goes_on_there(capsys: pytest.CaptureFixture[str]) -> None:
    def lamp() -> None:
        at_stop("stopped; the lamp burns on")
        raise KeyboardInterrupt

    def other() -> None:
        raise KeyboardInterrupt

    assert [exit_status(lamp), exit_status(other)] == [INTERRUPTED, INTERRUPTED]
    assert capsys.readouterr().err.splitlines() == ["stopped; the lamp burns on", STOPPED]
