# SPDX-License-Identifier: Apache-2.0
"""A table that is printed row by row showed the backslash that rich wants before a bracket: 'lamp[bulb]'."""

from __future__ import annotations

import pytest
from rich.markup import escape
from rich.table import Table

from dimmer.pipeline.core.terminal import LOG_WIDTH, console, stacked


def test_what_is_escaped_is_shown_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("what", "to do")
    table.add_row("lamp", escape("pip install 'lamp[bulb]'") + " " * LOG_WIDTH)
    assert list(stacked(table))[1] == "  to do  pip install 'lamp[bulb]'"
    console().print(table)
    assert "pip install 'lamp[bulb]'" in capsys.readouterr().out
