# SPDX-License-Identifier: Apache-2.0
"""A signal in a command's last moments ended it by that signal: its work was done, but its status said nothing of it.

Python puts handlers of signals away before it takes itself apart, which takes 0.2 s where TensorFlow was imported.
"""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# What is left in the standard modules goes last of all, long after the handlers.
LATE = """
import os, signal, sys
from dimmer.endings import tell_of_imports
tell_of_imports()

class Late:
    def __init__(self):
        self.kill, self.pid, self.write = os.kill, os.getpid(), os.write
        self.number = int(sys.argv[1])
    def __del__(self):
        self.write(1, b"late")
        self.kill(self.pid, self.number)

sys.late = Late()
sys.exit(3)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_status_stays(number: signal.Signals) -> None:
    done = subprocess.run([sys.executable, "-c", LATE, str(int(number))], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"late", b"")
