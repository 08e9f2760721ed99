# SPDX-License-Identifier: Apache-2.0
"""A mode is called as its file, which C may not be able to write: the firmware says `net_2_x` of `net@2=x.tflite`, and
the figures of such a mode were missing, or those of another, and its board was refused as another's.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import foreign_order
from dimmer.pipeline.verification import attached
from dimmer.targets import load_target
from tests.firmware_gen.modes import write_modes
from tests.tiny import silent


def files(folder: Path, *names: str) -> list[Path]:
    """A small network's modes, under other names."""
    return [mode.path.rename(folder / f"{name}.tflite") for mode, name in zip(write_modes(folder), names, strict=False)]


def test_their_figures_are_theirs(tmp_path: Path) -> None:
    names = ("net@2=x", "l" * 61)
    figures = make(foreign_order(files(tmp_path, *names), 2), load_target("mps2-an386"), tmp_path / "out", silent)
    assert [mode.name for mode in figures.modes] == list(names)
    assert all(mode.instructions and mode.cycles and mode.verify for mode in figures.modes)
    assert {step.mode for step in figures.steps} == set(names)


def test_two_that_a_firmware_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    order = foreign_order(files(tmp_path, "net_1", "net@1"), 0)
    with pytest.raises(DimmerError, match="modes net_1 and net@1 are both called net_1 in C; rename one of the files"):
        make(order, load_target("host"), tmp_path / "out", silent)


def test_their_board_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    said = '{"event":"selftest","mode":"net_2_x","ok":true}\n'
    monkeypatch.setattr(attached.AttachedBoard, "run", lambda *_: Done(said))
    board = attached.AttachedBoard(None, "lamp")  # type: ignore[arg-type]
    (tested,) = attached._self_test(board, ["net@2=x"]).items()
    assert tested[0] == "net@2=x"
    assert tested[1].ok
    with pytest.raises(DimmerError, match="the board has the modes net_2_x, the build other: flash that first"):
        attached._self_test(board, ["other"])


class Done:
    """A program that has ended."""

    def __init__(self, stdout: str) -> None:
        self.stdout = stdout
