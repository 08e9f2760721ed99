# SPDX-License-Identifier: Apache-2.0
"""The oracle: what the stock TFLite interpreter's reference kernels make of an input.

The interpreter is C++ and aborts on some files instead of raising, so it runs in a process of its own, one fork per
file.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import ROOT

TIMEOUT_S = 300.0


@dataclass(frozen=True)
class OracleJob:
    """Inputs for one model.

    Attributes:
        model: a `.tflite`.
        inputs: one input tensor's bytes after the other.
    """

    model: Path
    inputs: bytes


@dataclass(frozen=True)
class OracleFailure:
    """Why the interpreter gave no answer, in one line."""

    reason: str


def reference_outputs(model: Path, inputs: bytes, timeout_s: float = TIMEOUT_S, anew: int = 0) -> bytes:
    """The outputs of the reference kernels (BUILTIN_REF) for `inputs`, one after the other.

    Args:
        anew: bytes of inputs after which the model's state begins anew; 0 for never.

    Raises:
        DimmerError: the interpreter rejects the file, or dies of it.
    """
    step = anew or max(1, len(inputs))
    jobs = [OracleJob(model, inputs[at : at + step]) for at in range(0, max(1, len(inputs)), step)]
    results = []
    for result in run_oracle(jobs, timeout_s):
        if isinstance(result, OracleFailure):
            raise DimmerError(
                f"{model.name}: the stock TFLite interpreter cannot run it ({result.reason}); convert the model again"
            )
        results.append(result)
    return b"".join(results)


def run_oracle(jobs: Sequence[OracleJob], timeout_s: float = TIMEOUT_S) -> list[bytes | OracleFailure]:
    """Runs every job; one that fails does not disturb the others.

    Args:
        timeout_s: for each job.
    """
    with children.scratch() as work:
        for number, job in enumerate(jobs):
            (work / f"{number}.in").write_bytes(job.inputs)
        order = [str(job.model.resolve()) for job in jobs]
        (work / "jobs.json").write_text(json.dumps({"models": order, "timeout_s": timeout_s}))
        command = [sys.executable, "-m", "dimmer.pipeline.oracle.interpreter", str(work)]
        done = children.run(command, cwd=ROOT)
        results: list[bytes | OracleFailure] = []
        for number in range(len(jobs)):
            output, reason = work / f"{number}.out", work / f"{number}.why"
            if output.is_file():
                results.append(output.read_bytes())
            elif reason.is_file():
                results.append(OracleFailure(reason.read_text()))
            else:
                results.append(OracleFailure(_why(done, work / children.REASON)))
        return results


def _why(done: CompletedProcess[str], reason: Path) -> str:
    """Why the worker itself gave no answer to a job."""
    if reason.is_file():
        return reason.read_text()
    said = done.stderr.strip().splitlines() if done.returncode >= 0 else []
    return f"the worker {children.how_it_ended(done.returncode)}" + (f": {said[-1]}" if said else "")


def _serve(work: Path) -> None:
    from ai_edge_litert import interpreter as _warm_import  # noqa: F401

    order = json.loads((work / "jobs.json").read_text())
    for number, model in enumerate(order["models"]):
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            try:
                children.die_with(parent)
                _answer(Path(model), work, number)
            except Exception as error:
                (work / f"{number}.why").write_text(children.in_a_line(error))
            finally:
                os._exit(0)
        status = _wait(child, order["timeout_s"])
        if status is None:
            (work / f"{number}.why").write_text(f"it did not end within {order['timeout_s']:g} s")
        elif os.WIFSIGNALED(status):
            (work / f"{number}.why").write_text(f"it {children.how_it_ended(-os.WTERMSIG(status))}")


def _wait(child: int, timeout_s: float) -> int | None:
    end = time.monotonic() + timeout_s
    pause = 0.001
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _answer(model: Path, work: Path, number: int) -> None:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    from dimmer.pipeline.oracle.mend import mended

    content = model.read_bytes()
    changed = mended(content)
    # A file that stands as it is is mapped, not copied.
    path, held = (str(model), None) if changed == content else (None, changed)
    resolver = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(path, held, experimental_op_resolver_type=resolver, num_threads=1)
    interpreter.allocate_tensors()
    # Several are one buffer here, as `graph.types.joined` lays them out: wide elements first.
    sources = sorted(interpreter.get_input_details(), key=lambda end: -np.dtype(end["dtype"]).itemsize)
    results = sorted(interpreter.get_output_details(), key=lambda end: -np.dtype(end["dtype"]).itemsize)
    data = (work / f"{number}.in").read_bytes()
    outputs = []
    at = 0
    while at < len(data):
        for source in sources:
            shape, dtype = tuple(source["shape"]), np.dtype(source["dtype"])
            count = int(np.prod(shape, dtype=np.int64))
            values = np.frombuffer(data, dtype, count, at).reshape(shape)
            interpreter.set_tensor(source["index"], values)
            at += values.nbytes
        interpreter.invoke()
        outputs += [interpreter.get_tensor(result["index"]).tobytes() for result in results]
    partial = work / f"{number}.partial"
    partial.write_bytes(b"".join(outputs))
    partial.rename(work / f"{number}.out")


if __name__ == "__main__":
    folder, *_ = children.worker_arguments("interpreter", "runs the TFLite interpreter for Dimmer's checks")
    with children.worker(Path(folder)):
        _serve(Path(folder))
