# SPDX-License-Identifier: Apache-2.0
"""ONNX to float `.tflite`, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import ROOT


def float_models(sources: list[Path], out: Path) -> None:
    """Runs onnx2tf over the files, in as many processes as there are processors, at most two.

    Raises:
        DimmerError: with the last line that onnx2tf printed.
    """
    workers = max(1, min(2, os.cpu_count() or 1, len(sources)))
    running = []
    for worker in range(workers):
        command = [
            sys.executable,
            "-m",
            "dimmer.pipeline.conversion.onnx_to_float",
            str(out),
            *map(str, sources[worker::workers]),
        ]
        log = (out / f".onnx2tf.{worker}.log").open("w+")
        running.append((subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT), log))
    try:
        for process, log in running:
            code = process.wait()
            log.seek(0)
            lines = [line for line in log.read().splitlines() if line.strip()]
            if code:
                raise DimmerError(f"onnx2tf failed: {lines[-1] if lines else f'exit status {code}'}")
    finally:
        for process, log in running:
            process.kill()
            process.wait()
            Path(log.name).unlink(missing_ok=True)
            log.close()
