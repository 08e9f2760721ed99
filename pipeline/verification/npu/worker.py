# SPDX-License-Identifier: Apache-2.0
"""The model of the NPU in processes of its own: it decodes weights with C code of Vela's, and takes its time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dimmer import children
from dimmer.firmware_gen.npu.compiled import CompiledMode, End
from dimmer.firmware_gen.npu.payload import read_payload
from dimmer.pipeline.core.documents import load_document, save_document
from dimmer.pipeline.core.stage import ROOT
from dimmer.pipeline.verification.npu.errors import NpuModelError
from dimmer.pipeline.verification.npu.machine import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

AT_ONCE, SAMPLES = 2, 25
"""Processes, and inferences that one runs at a time."""


@dataclass(frozen=True)
class _Order:
    """What a process is to run; payload, constants, packed scales and inputs lie beside it."""

    mode: str
    samples: int
    read_only_region: int
    scratch_region: int
    scratch_size: int
    inputs: tuple[End, ...]
    outputs: tuple[End, ...]
    packed_shift: int


def model_outputs(modes: Sequence[CompiledMode], inputs: Bytes, done: Callable[[], None] = lambda: None) -> list[Bytes]:
    """What each mode makes of inputs, by the model of the NPU.

    Args:
        inputs: uint8[N, bytes of an input], several one after the other.
        done: called after each mode.

    Returns:
        uint8[N, bytes of an output] for each mode.

    Raises:
        NpuModelError: a stream cannot be run, or what decodes its weights dies.
    """

    def one(mode: CompiledMode) -> Bytes:
        with children.scratch() as work:
            order = _Order(
                mode=mode.name,
                samples=len(inputs),
                read_only_region=mode.read_only_region,
                scratch_region=mode.scratch_region,
                scratch_size=mode.scratch_size,
                inputs=mode.inputs,
                outputs=mode.outputs,
                packed_shift=mode.packed_shift,
            )
            save_document(work / "order.json", order)
            (work / "payload").write_bytes(mode.payload.pack())
            (work / "constants").write_bytes(mode.read_only)
            (work / "packed").write_bytes(mode.packed)
            (work / "inputs").write_bytes(inputs.tobytes())
            command = [sys.executable, "-m", "dimmer.pipeline.verification.npu.worker", str(work)]
            ended = children.run(command, cwd=ROOT)
            if (work / children.REASON).is_file():
                raise NpuModelError(f"{mode.name}: {(work / children.REASON).read_text()}")
            if ended.returncode or not (work / "outputs").is_file():
                raise NpuModelError(f"{mode.name}: the model of the NPU {children.how_it_ended(ended.returncode)}")
            done()
            return np.frombuffer((work / "outputs").read_bytes(), np.uint8).reshape(len(inputs), -1)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, modes))


def _serve(work: Path) -> None:
    order = load_document(_Order, work / "order.json")
    mode = CompiledMode(
        name=order.mode,
        payload=read_payload((work / "payload").read_bytes()),
        read_only=(work / "constants").read_bytes(),
        read_only_region=order.read_only_region,
        scratch_region=order.scratch_region,
        scratch_size=order.scratch_size,
        inputs=order.inputs,
        outputs=order.outputs,
        packed=(work / "packed").read_bytes(),
        packed_shift=order.packed_shift,
    )
    inputs = np.frombuffer((work / "inputs").read_bytes(), np.uint8).reshape(order.samples, -1)
    parts = [run(mode, inputs[at : at + SAMPLES]) for at in range(0, len(inputs), SAMPLES)]
    partial = work / "outputs.partial"
    partial.write_bytes(np.concatenate(parts).tobytes())
    partial.rename(work / "outputs")


if __name__ == "__main__":
    folder, *_ = children.worker_arguments("worker", "runs the model of the NPU for Dimmer's checks")
    with children.worker(Path(folder)):
        _serve(Path(folder))
