# SPDX-License-Identifier: Apache-2.0
"""The list of targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.pipeline import targets
from dimmer.targets import TargetError, target_names
from dimmer.targets.target import TARGETS
from tests.firmware_gen.modes import write_modes


def test_own_targets_and_the_project_s_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lamp").mkdir()
    (tmp_path / "lamp" / "target.toml").write_text("core = 3")
    monkeypatch.setenv("DIMMER_TARGETS", str(tmp_path))
    monkeypatch.setattr("dimmer.pipeline.targets.missing_tools", lambda _tools: {"a-compiler": "a-package"})
    names = target_names()
    assert "lamp" in names
    targets.main()
    shown = capsys.readouterr().out
    assert [name for name in names if name not in shown] == []
    assert "a-package" in shown
    assert "is missing" in " ".join(shown.replace("│", " ").split())


def test_one_says_where_it_lies(capsys: pytest.CaptureFixture[str]) -> None:
    targets.main("host")
    path = Path(capsys.readouterr().out.removesuffix("\n"))
    assert path == TARGETS / "host" / "target.toml"
    with pytest.raises(TargetError, match="unknown target 'steam'"):
        targets.main("steam")


def test_a_network_is_told_where_it_fits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    targets.main(tflite=[write_modes(tmp_path)[0].path])
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "fits" in shown
    assert "board, twin" in shown
    assert "pyocd, openocd, gdb" in shown
