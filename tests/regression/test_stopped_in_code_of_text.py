# SPDX-License-Identifier: Apache-2.0
"""A command stopped while Python makes a class of text (a named tuple, a dataclass) ended by SIGINT, not in 143.

Python remembers a KeyboardInterrupt that leaves `exec` of a text, and at the end of `python -m` kills itself by
SIGINT, although the command had caught it and given its own exit status.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = """
import signal
from dimmer.pipeline.core.command import exit_status
# Under nohup it is ignored, and so for all that is started there.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
def run():
    exec("import os, time; os.kill(os.getpid(), NUMBER); time.sleep(9)")
raise SystemExit(exit_status(run))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_exit_status_is_that_of_the_signal(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "stopped.py").write_text(COMMAND.replace("NUMBER", str(int(number))))
    others = os.environ.get("PYTHONPATH")
    variables = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *([others] if others else [])])}
    command = [sys.executable, "-m", "stopped"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 128 + number
    assert done.stderr == "stopped; the same command goes on where it stopped\n"
