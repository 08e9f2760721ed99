# SPDX-License-Identifier: Apache-2.0
"""On 60 columns tables were cut, a pipe got 90 lines of progress, and the time that is left was always empty."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from dimmer.guard import TOKENS
from dimmer.pipeline.core.stage import ROOT

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")
FIGURES = ("88.88.88", "98.20%", "20,183,936", "14,196,573", "6,246.5 uJ", "100 bit-exact")

SHOW = f"""
import time
from rich.table import Table
from dimmer.pipeline.core import terminal
from dimmer.pipeline.core.command import console, progress_bar

terminal._EARLIEST_S = 0.1
with progress_bar("calibrate") as progress:
    for number in range(30):
        progress(f"norms of {{number:02}}.88.88.88.88, a long text that says what is being done now", number / 30)
        time.sleep(0.03)
table = Table(title="lamps")
for heading in ("mode", "accuracy", "MACs", "instructions", "energy", "verified"):
    table.add_column(heading)
table.add_row(*{FIGURES!r})
console().print(table)
"""


def shown(columns: int, **variables: str) -> str:
    """What a terminal gets."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    unwanted = (TOKENS, "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHONUNBUFFERED", "CI")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    environment |= {"TERM": "xterm-256color", **variables}
    command = [sys.executable, "-c", SHOW]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        text = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                # The other end is closed.
                break
            if not part:
                break
            text += part
        assert process.wait() == 0, text.decode()
    os.close(ours)
    return text.decode()


def lines(text: str) -> list[str]:
    return [line for line in re.split(r"[\r\n]+", ESCAPE.sub("", text)) if line.strip()]


@pytest.mark.parametrize("columns", [40, 60, 200])
def test_nothing_is_wider_than_the_terminal_and_no_figure_is_cut(columns: int) -> None:
    said = shown(columns)
    assert max(map(len, lines(said))) <= columns
    assert [figure for figure in FIGURES if figure not in ESCAPE.sub("", said)] == []


def test_the_bar_says_how_long_it_still_takes_in_colour_but_where_nobody_wants_it() -> None:
    said = shown(80)
    assert re.search(r"\d s left", ESCAPE.sub("", said))
    assert "-:--:--" not in said
    assert COLOUR.search(said)
    assert not COLOUR.search(shown(80, NO_COLOR="1"))


def test_a_dumb_terminal_gets_lines() -> None:
    said = shown(60, TERM="dumb")
    assert "\x1b" not in said
    assert sum(line.startswith("calibrate: ") for line in lines(said)) == 1
    assert [figure for figure in FIGURES if figure not in said] == []


def test_a_pipe_gets_a_line_a_step_and_no_escapes() -> None:
    done = subprocess.run([sys.executable, "-c", SHOW], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(done.stderr.splitlines()) == 1
    assert "\x1b" not in done.stdout + done.stderr
    assert [figure for figure in FIGURES if figure not in done.stdout] == []
