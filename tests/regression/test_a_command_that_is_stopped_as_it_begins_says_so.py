# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in the first half second of `dimmer`, while packages are imported, ended in a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

BEGINS = """
import sys, time
sys.argv[0] = {program!r}
import dimmer.pipeline
print("imported", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("program", ["/usr/bin/dimmer", "/usr/lib/python3/dimmer/__main__.py"])
def test_it_is_one_line(program: str, number: signal.Signals) -> None:
    command = [sys.executable, "-c", BEGINS.format(program=program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "imported\n"
        process.send_signal(number)
        _, said = process.communicate()
    assert process.returncode == 128 + number
    assert said == "stopped; the same command goes on where it stopped\n"
