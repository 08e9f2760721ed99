# SPDX-License-Identifier: Apache-2.0
"""Texts of users in tables are shown as they are: rich ended at '[/rev b]', left '[old]' out, and drew ':bug:'; row by
row, 'lamp[bulb]' had the backslash that it wants before a bracket.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.table import Table

from dimmer.pipeline import doctor, models, targets
from dimmer.pipeline.core.terminal import LOG_WIDTH, console, stacked
from dimmer.pipeline.projects.files import project_files
from dimmer.pipeline.projects.wanted import Wanted
from dimmer.pipeline.projects.write import write_project

ODD = "a[/rev b] of [old] 'lamp[bulb]' \\[x] :bug:"


def test_what_is_in_brackets_is_shown_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    for room in ("", " " * LOG_WIDTH):
        table = Table("what", "to do", title=ODD)
        table.add_row("lamp", ODD + room)
        console().print(table)
        assert capsys.readouterr().out.count(ODD) == 2
    assert list(stacked(table))[::2] == [ODD, f"  to do  {ODD}"]


def test_a_project_s_paths_and_descriptions_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "lamps[old]"
    write_project(home, project_files(Wanted("bell", target="mps2-an386", own_target="lock")))
    file = home / "targets" / "lock" / "target.toml"
    text = file.read_text()
    file.write_text(re.sub("(?m)^description = .*", 'description = "board [/rev b]"', text))
    monkeypatch.chdir(home)
    for command, says in ((models.main, "lamps[old]/models"), (targets.main, "board [/rev b]"), (doctor.main, "[old]")):
        command()
        assert says in "".join(capsys.readouterr().out.split("\n")), command
