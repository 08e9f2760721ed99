# SPDX-License-Identifier: Apache-2.0
"""ONNX to float `.tflite`, in processes of their own."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import ROOT

FILES_A_PROCESS = 4
"""Fewer are no second process worth: importing TensorFlow takes as long as converting six small files."""


def float_models(sources: list[Path], out: Path) -> None:
    """Runs onnx2tf over the files, in one process or, where there are processors and files enough for it, in two.

    Raises:
        DimmerError: with what went wrong in the worker, or the signal that killed it.
    """
    workers = max(1, min(2, os.cpu_count() or 1, len(sources) // FILES_A_PROCESS))
    with children.scratch() as work, ExitStack() as stack:
        running = []
        for worker in range(workers):
            folder = work / str(worker)
            folder.mkdir()
            command = [
                sys.executable,
                "-m",
                "dimmer.pipeline.conversion.onnx_to_float",
                str(folder),
                *map(str, sources[worker::workers]),
            ]
            log = stack.enter_context((work / f"{worker}.log").open("w+"))
            process = stack.enter_context(children.started(command, cwd=ROOT, stdout=log, stderr=log))
            running.append((process, folder, log.name))
        for process, folder, log_name in running:
            if process.wait():
                raise DimmerError(f"onnx2tf {_why(process.returncode, folder, Path(log_name))}")
            for made in folder.glob("*.float.tflite"):
                # The folder may lie on another disk than the system's temporary one.
                shutil.move(made, out / made.name)


def _why(status: int, folder: Path, log: Path) -> str:
    """What the worker says for itself; the last line of a library's log is as good as none."""
    reason = folder / children.REASON
    if status < 0 or not reason.is_file():
        lines = log.read_text(errors="replace").split("\n") if status >= 0 else []
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return children.how_it_ended(status) + (f": {said}" if said else "")
    return f"failed: {reason.read_text()}"
