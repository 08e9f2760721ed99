# SPDX-License-Identifier: Apache-2.0
"""Runs TFLite-Micro's interpreter over a folder of jobs; a script of its own for whichever Python has `tflite-micro`.

PYTHON micro_worker.py FOLDER

FOLDER/jobs.json names the models; of model N the inputs lie in N.in, and its outputs go to N.out, or why there are
none to N.why. One fork a model, since the interpreter ends the process on some files.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
ARENA_BYTES = 16 << 20
"""Of the interpreter's arena at first; doubled while it says that it is too small."""
MOST_ARENA_BYTES = 256 << 20


def serve(work: Path) -> None:
    """Every job of the folder."""
    importlib.import_module("tflite_micro")

    order = json.loads((work / "jobs.json").read_text())
    for number, model in enumerate(order["models"]):
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            try:
                die_with(parent)
                answer(Path(model), work, number)
            except Exception as error:
                (work / f"{number}.why").write_text(" ".join(str(error).split()) or type(error).__name__)
            finally:
                os._exit(0)
        status = wait(child, order["timeout_s"])
        if status is None:
            (work / f"{number}.why").write_text(f"it did not end within {order['timeout_s']:g} s")
        elif os.WIFSIGNALED(status):
            (work / f"{number}.why").write_text(f"it was ended by {signal.Signals(os.WTERMSIG(status)).name}")


def die_with(parent: int) -> None:
    """The kernel kills this process when its parent dies, as `dimmer.children.die_with`, which is not here."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def wait(child: int, timeout_s: float) -> int | None:
    """How the child ended; none where it had to be stopped."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def answer(model: Path, work: Path, number: int) -> None:
    """The outputs for every input of one model."""
    import numpy as np

    interpreter = opened(model.read_bytes())
    sources, results = ends(interpreter.get_input_details), ends(interpreter.get_output_details)
    data = (work / f"{number}.in").read_bytes()
    outputs = []
    at = 0
    while at < len(data):
        for place, details in sources:
            shape, dtype = tuple(int(size) for size in details["shape"]), np.dtype(details["dtype"])
            values = np.frombuffer(data, dtype, int(np.prod(shape, dtype=np.int64)), at).reshape(shape)
            interpreter.set_input(values, place)
            at += values.nbytes
        interpreter.invoke()
        outputs += [interpreter.get_output(place).tobytes() for place, _ in results]
    partial = work / f"{number}.partial"
    partial.write_bytes(b"".join(outputs))
    partial.rename(work / f"{number}.out")


def opened(model: bytes) -> Any:
    """The interpreter, with as large an arena as it needs."""
    runtime = importlib.import_module("tflite_micro").runtime
    size = ARENA_BYTES
    while True:
        try:
            return runtime.Interpreter.from_bytes(model, arena_size=size)
        except RuntimeError:
            size *= 4
            if size > MOST_ARENA_BYTES:
                raise


def ends(details: Any) -> list[tuple[int, dict[str, Any]]]:
    """The inputs or outputs with their places, wide elements first, as the checks lay several of them out."""
    import numpy as np

    found: list[tuple[int, dict[str, Any]]] = []
    while True:
        try:
            found.append((len(found), details(len(found))))
        except (RuntimeError, IndexError, ValueError):
            return sorted(found, key=lambda end: -np.dtype(end[1]["dtype"]).itemsize)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
