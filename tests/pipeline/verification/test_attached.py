# SPDX-License-Identifier: Apache-2.0
"""A board on a line as something that runs a firmware; whole validations are in tests/pipeline/test_validate.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.pipeline.verification.attached import SILENT_S, AttachedBoard
from dimmer.targets import TargetError
from dimmer.targets.runners.link import Said


class Line:
    """A link whose board says always the same."""

    def __init__(self, said: Said) -> None:
        self.said = said

    def call(self) -> dict[str, object]:
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
