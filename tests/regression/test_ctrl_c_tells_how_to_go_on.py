# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in a stage ended with status 130 and not a word."""

from __future__ import annotations

import pytest

from dimmer.pipeline.core.command import main_of


def interrupted() -> None:
    raise KeyboardInterrupt


def test_an_interrupted_command_says_what_to_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["stage"])
    with pytest.raises(SystemExit) as stopped:
        main_of(interrupted)
    assert stopped.value.code == 130
    assert capsys.readouterr().err.strip() == "stopped; the same command goes on where it stopped"
