# SPDX-License-Identifier: Apache-2.0
"""A board on a line as something that runs a firmware; whole validations are in tests/pipeline/test_validate.py."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dimmer.pipeline.verification.attached import AttachedBoard, validate
from dimmer.pipeline.verification.patience import SILENT_S
from dimmer.targets import TargetError, load_target
from dimmer.targets.runners import link as link_module
from dimmer.targets.runners.link import ANSWER_S, Link, NoAnswerError, Said


class Line:
    """A link whose board says always the same."""

    def __init__(self, said: Said) -> None:
        self.said = said

    def call(self, timeout_s: float) -> dict[str, object]:
        assert timeout_s == SILENT_S
        return {"board": "lamp"}

    def run(self, words: list[str], cwd: Path, timeout_s: float) -> Said:
        assert timeout_s == SILENT_S
        return self.said


def run(lines: tuple[str, ...], code: int) -> str:
    board = AttachedBoard(Line(Said(lines, code)), "lamp")  # type: ignore[arg-type]
    return board.run(Path("x"), ["selftest"], Path()).stdout


def test_lines_come_as_standard_output() -> None:
    assert run(('{"event":"a"}', '{"event":"b"}'), 1) == '{"event":"a"}\n{"event":"b"}\n'


def test_errors_of_the_firmware_and_faults() -> None:
    with pytest.raises(TargetError, match="lamp: the records end too early; flash the build again"):
        run(('{"event":"error","message":"the records end too early"}',), 1)
    with pytest.raises(TargetError, match="lamp: 'selftest' ended with code 70, its fault handler's"):
        run((), 70)


@pytest.mark.parametrize(("patience_s", "calling_s"), [(300.0, 300.0), (0.5, ANSWER_S)])
def test_a_board_is_called_as_long_as_its_self_test_may_take(
    monkeypatch: pytest.MonkeyPatch, patience_s: float, calling_s: float
) -> None:
    told: list[str] = []

    def call(self: Link, timeout_s: float, heard: Callable[[str], None]) -> None:
        assert timeout_s == calling_s
        heard('{"event":"selftest","mode":"88"}')
        raise NoAnswerError("gone")

    monkeypatch.setattr(Link, "call", call)
    monkeypatch.setattr(link_module, "_make_raw", lambda _descriptor: None)
    with pytest.raises(NoAnswerError, match="gone"):
        validate(
            os.devnull, load_target("pico"), (), b"", lambda text, _share: told.append(text), patience_s=patience_s
        )
    assert told == [
        f"calling the board; after a reset it tests itself, up to {calling_s:.0f} s a mode",
        """it tests itself after its reset: '{"event":"selftest","mode":"88"}'""",
    ]
