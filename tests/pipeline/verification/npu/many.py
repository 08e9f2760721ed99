# SPDX-License-Identifier: Apache-2.0
"""Many small files through Vela and the model of the NPU: Vela is imported once, and forked for every file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dimmer.errors import DimmerError
from dimmer.firmware_gen.npu.compare import difference
from dimmer.firmware_gen.npu.compiled import read_compiled
from dimmer.firmware_gen.npu.exact import dense_layers
from dimmer.firmware_gen.npu.relink import relink
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.conversion.npu.vela import complaint
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from dimmer.pipeline.verification.npu.machine import run
from dimmer.targets.kit.npu import Npu

SYSTEMS = {"ethos-u55": "Ethos_U55_High_End_Embedded", "ethos-u65": "Ethos_U65_Embedded"}


def npu(accelerator: str) -> Npu:
    """As Arm's reference system has it."""
    return Npu(accelerator, SYSTEMS[accelerator[:9]], "Shared_Sram")


def compile_forked(path: Path, accelerator: str) -> str | None:
    """Leaves ``<stem>_vela.npz`` beside a file; what Vela says where it makes none."""
    said = path.with_suffix(".log")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with said.open("w") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
                from ethosu.vela.vela import main

                words = ["--accelerator-config", accelerator, "--config", "Arm/vela.ini", "--output-format", "raw"]
                words += ["--system-config", npu(accelerator).system_config, "--memory-mode", "Shared_Sram"]
                main([*words, "--output-dir", str(path.parent), str(path)])
                status = 0
        except BaseException as error:
            with said.open("a") as log:
                log.write(f"\n{type(error).__name__}: {error}\n")
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if status == 0 and path.with_name(f"{path.stem}_vela.npz").is_file():
        return None
    if os.WIFSIGNALED(status):
        return f"Vela was killed by signal {os.WTERMSIG(status)}"
    return complaint(said.read_text(errors="replace"), npu(accelerator))


@dataclass(frozen=True)
class Found:
    """What came of a file.

    Attributes:
        refused: why nothing was compared; empty where it was.
        wrong: values that differ, of `values`.
        most: by which they differ at most.
    """

    name: str
    refused: str
    wrong: int = 0
    values: int = 0
    most: int = 0


def compare_many(files: Sequence[tuple[Path, bytes]], accelerator: str) -> list[Found]:
    """Every file with its inputs, one after the other in bytes, against BUILTIN_REF."""
    import ethosu.vela.vela  # noqa: F401 (imported once, before the forks)

    answers = run_oracle([OracleJob(path, inputs) for path, inputs in files])
    return [_one(path, inputs, answer, accelerator) for (path, inputs), answer in zip(files, answers, strict=True)]


def _one(path: Path, inputs: bytes, answer: bytes | OracleFailure, accelerator: str) -> Found:
    if isinstance(answer, OracleFailure):
        return Found(path.stem, f"the interpreter: {answer.reason}")
    refused = compile_forked(path, accelerator)
    if refused is not None:
        return Found(path.stem, refused)
    try:
        dense = dense_layers(read_tflite(path))
        ours = read_compiled(path.stem, path.with_name(f"{path.stem}_vela.npz"))
        relinked = relink([ours], [dense]).modes[0]
        other = difference(ours, relinked, dense)
        assert other is None, f"{path.stem}: {other}"
        rows = np.frombuffer(inputs, np.uint8).reshape(-1, ours.inputs[0].size)
        outputs = run(relinked, rows).view(np.int8).astype(int)
    except DimmerError as error:
        return Found(path.stem, str(error))
    wanted = np.frombuffer(answer, np.int8).reshape(len(rows), -1).astype(int)
    apart = np.abs(outputs - wanted)
    return Found(path.stem, "", int((apart > 0).sum()), apart.size, int(apart.max()))


if __name__ == "__main__":
    from tests.pipeline.verification.npu.test_operators import cases

    folder, which, first, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    folder.mkdir(parents=True, exist_ok=True)
    results = compare_many(cases(folder, range(first, first + count)), which)
    for found in results:
        if found.refused or found.wrong:
            print(found)
    exact = sum(not found.refused and not found.wrong for found in results)
    print(f"{exact} exact, {sum(bool(f.refused) for f in results)} refused, {sum(f.wrong > 0 for f in results)} differ")
