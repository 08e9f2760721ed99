# SPDX-License-Identifier: Apache-2.0
"""Which Python runs TFLite-Micro's interpreter."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from dimmer.errors import DimmerError

PYTHON = "DIMMER_TFLM_PYTHON"
"""A Python that has the package tflite-micro, where that of Dimmer has not."""
WORKER = Path(__file__).with_name("micro_worker.py")


def micro_command() -> list[str]:
    """The command that runs a folder of jobs, but for the folder.

    Raises:
        DimmerError: there is none.
    """
    named = os.environ.get("DIMMER_TFLM_PYTHON")
    if named:
        found = shutil.which(named)
        if found is None:
            raise DimmerError(f"{PYTHON}: {named} is no program; name a Python that has the package tflite-micro")
        return [found, str(WORKER)]
    if importlib.util.find_spec("tflite_micro") is None:
        raise DimmerError(
            "--reference tflm compares with TFLite-Micro's own interpreter, which is not here; type "
            f"`pip install tflite-micro`, or name a Python that has it in {PYTHON}"
        )
    return [sys.executable, str(WORKER)]
