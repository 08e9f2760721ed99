# SPDX-License-Identifier: Apache-2.0
"""Which Python runs TFLite-Micro's interpreter."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.micro import Reference

PYTHON = "DIMMER_TFLM_PYTHON"
"""A Python that has the package tflite-micro, where that of Dimmer has not."""
WORKER = Path(__file__).with_name("micro_worker.py")
_HAS_PACKAGE = "import importlib.util; print(importlib.util.find_spec('tflite_micro') is not None)"


def require_reference(reference: Reference | None) -> None:
    """Makes sure, before any work, that what results are compared with is here.

    Raises:
        DimmerError: it is TFLite-Micro, and no Python has it.
    """
    if reference is Reference.TFLM:
        micro_command()


def micro_command() -> list[str]:
    """The command that runs a folder of jobs, but for the folder.

    Raises:
        DimmerError: there is none.
    """
    named = os.environ.get("DIMMER_TFLM_PYTHON")
    if named:
        program = shutil.which(named)
        if program is None:
            raise DimmerError(f"{PYTHON}: {named} is no program; name a Python that has the package tflite-micro")
        # The worker runs in another folder. A virtual environment's Python is a link that must not be followed.
        found = os.path.abspath(program)
        try:
            said = children.run([found, "-c", _HAS_PACKAGE]).stdout.strip()
        except OSError:
            said = ""
        if said == str(False):
            raise DimmerError(
                f"{PYTHON}: {named} has no package tflite-micro; type `{named} -m pip install tflite-micro`"
            )
        if said != str(True):
            raise DimmerError(f"{PYTHON}: {named} is no Python; name one that has the package tflite-micro")
        return [found, str(WORKER)]
    if importlib.util.find_spec("tflite_micro") is None:
        raise DimmerError(
            "--reference tflm compares with TFLite-Micro's own interpreter, which is not here; type "
            f"`pip install tflite-micro`, or name a Python that has it in {PYTHON}"
        )
    return [sys.executable, str(WORKER)]
