# SPDX-License-Identifier: Apache-2.0
"""A mode in parts: its streams in the model of the NPU, what stays on the core in the C engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.pipeline.artifacts.npu import NpuPart, part_file
from dimmer.pipeline.conversion.npu.split import ends_of
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.order import foreign_order
from dimmer.pipeline.image.records import Record, run_schedules
from dimmer.pipeline.verification.npu.worker import model_outputs
from dimmer.targets import Target

Bytes = NDArray[np.uint8]
RunCore = Callable[[Path, Bytes], Bytes]
"""A `.tflite` of operators that stay on the core, uint8[N, bytes of all its inputs] -> the same of its outputs."""
ON_TARGET = 10
"""Inputs that a part of the core runs on the target, too: its emulator takes its time."""


@dataclass(frozen=True)
class ShippedMode:
    """A mode as its firmware has it.

    Attributes:
        streams: in their order.
        parts: of a mode that the core runs parts of; none where one stream is the mode.
        inputs, outputs: values of the parts that are the mode's, in one buffer each, in this order.
    """

    name: str
    streams: tuple[CompiledMode, ...]
    parts: tuple[NpuPart, ...] = ()
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()


def chain_outputs(mode: ShippedMode, file: Path, inputs: Bytes, folder: Path, run_core: RunCore) -> Bytes:
    """What a mode in parts makes of inputs.

    Args:
        file: its `.tflite`.
        inputs: uint8[N, bytes of all its inputs].
        folder: where its parts lie.

    Returns:
        uint8[N, bytes of all its outputs].

    Raises:
        NpuModelError: a stream cannot be run.
        DimmerError: a part of the core cannot be run.
    """
    given, made = ends_of(file.read_bytes())
    values = dict(zip(mode.inputs, given.apart(inputs), strict=True))
    streams = iter(mode.streams)
    for part in mode.parts:
        read = [values[value] for value in part.inputs]
        if part.on_core:
            path = part_file(folder, part.name)
            sources, results = ends_of(path.read_bytes())
            found = results.apart(run_core(path, sources.gathered(read)))
        else:
            stream = next(streams, None)
            if stream is None:
                raise DimmerError(f"{part.name} has no stream in the firmware; build again")
            (whole,) = model_outputs([stream], np.concatenate(read, axis=1))
            found = np.split(whole, np.cumsum([end.size for end in stream.outputs])[:-1], axis=1)
        values |= dict(zip(part.outputs, found, strict=True))
    return made.gathered([values[value] for value in mode.outputs])


def on_engines(host: Target, target: Target) -> RunCore:
    """Runs parts by the generated C on this machine; and the first inputs, the same C as in the firmware, on the target
    or what emulates it.
    """
    known: dict[tuple[bytes, bytes], Bytes] = {}

    def run(path: Path, inputs: Bytes) -> Bytes:
        # Modes begin alike, and a part that is the same need not be compiled again.
        asked = path.read_bytes(), inputs.tobytes()
        if asked not in known:
            known[asked] = both(path, inputs)
        return known[asked]

    def both(path: Path, inputs: Bytes) -> Bytes:
        outputs = _run(path, inputs, host)
        there = _run(path, inputs[:ON_TARGET], target)
        if not np.array_equal(there, outputs[:ON_TARGET]):
            raise DimmerError(
                f"{path.name}: what stays on the core computes something else on {target.name} than on this machine; "
                "do not flash it, report it"
            )
        return outputs

    return run


def _run(path: Path, inputs: Bytes, target: Target) -> Bytes:
    with children.scratch() as work:
        order = foreign_order([path], 0, "part")
        made = compile_modes(order, order.modes, target, work)
        records: Sequence[Record] = [Record((0,), number) for number in range(len(inputs))]
        ran = run_schedules(target, made.elf, (0,), records, inputs.view(np.int8), made.model.output_bytes)
        return ran.outputs.view(np.uint8)
