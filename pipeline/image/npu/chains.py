# SPDX-License-Identifier: Apache-2.0
"""Compiled modes as the generator takes them, and what is known of each of their values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dimmer.errors import DimmerError
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import Graph
from dimmer.firmware_gen.npu.chain import Chain, CorePart, StreamPart, core_part, whole
from dimmer.pipeline.artifacts.npu import NpuPart, part_file
from dimmer.pipeline.conversion.npu.parts import Compiled
from dimmer.pipeline.conversion.npu.split import ends_of
from dimmer.pipeline.conversion.npu.vela import WAY_OUT
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.targets import Target


def chain_of(mode: Compiled, first: int, macs: int, graph: Graph, target: Target, folder: Path) -> Chain:
    """A mode for the generator.

    Args:
        first: number of its first stream among those of all modes.
        graph: of any mode: where several inputs or outputs lie.
        folder: where its parts lie.

    Raises:
        DimmerError: the core has no kernels for an operator that the NPU leaves to it; one line.
    """
    if not mode.parts:
        if len(mode.streams[0].inputs) == len(mode.streams[0].outputs) == 1:
            return whole(first, mode.streams[0], macs)
        # Several inputs or outputs are values that are brought to the stream and taken from it.
        inputs = tuple(range(len(mode.streams[0].inputs)))
        outputs = tuple(range(len(inputs), len(inputs) + len(mode.streams[0].outputs)))
        ends = (*mode.streams[0].inputs, *mode.streams[0].outputs)
        return Chain(
            mode.name,
            macs,
            (StreamPart(first, inputs, outputs),),
            _ends(inputs, [part.offset for part in graph.inputs]),
            _ends(outputs, [part.offset for part in graph.outputs]),
            {value: end.size for value, end in enumerate(ends)},
        )
    parts: list[StreamPart | CorePart] = []
    for part in mode.parts:
        if part.on_core:
            parts.append(_core_part(part, target, folder))
        else:
            parts.append(StreamPart(first, part.inputs, part.outputs))
            first += 1
    return Chain(
        mode.name,
        macs,
        tuple(parts),
        _ends(mode.inputs, [part.offset for part in graph.inputs]),
        _ends(mode.outputs, [part.offset for part in graph.outputs]),
        mode.sizes or {},
    )


def _core_part(part: NpuPart, target: Target, folder: Path) -> CorePart:
    try:
        path = part_file(folder, part.name)
        return core_part(part.name, path, part.inputs, part.outputs, target.core, target.scratch_limit)
    except FirmwareGenError as error:
        left = ", ".join(dict.fromkeys(f"{one.operator} ({one.tensor})" for one in part.on_core))
        raise DimmerError(f"{error}; the NPU leaves {left} to the core: {WAY_OUT}") from error


def _ends(values: tuple[int, ...], offsets: list[int]) -> tuple[tuple[int, int], ...]:
    return tuple(zip(values, offsets or [0], strict=True))


def known_values(mode: Compiled, chain: Chain, given: bytes, answer: bytes, folder: Path) -> Mapping[int, bytes]:
    """What the interpreter makes of one input, value by value.

    Args:
        given: the input, or all of several.
        answer: what the whole mode makes of it.

    Raises:
        DimmerError: the interpreter cannot run a part, or the parts make something else than the whole.
    """
    values = {value: given[at : at + chain.sizes[value]] for value, at in chain.inputs}
    for part in mode.parts:
        path = part_file(folder, part.name)
        inputs, outputs = ends_of(path.read_bytes())
        joined = inputs.gathered([np.frombuffer(values[value], np.uint8)[None] for value in part.inputs])
        made = np.frombuffer(reference_outputs(path, joined.tobytes()), np.uint8)[None]
        values |= {value: one.tobytes() for value, one in zip(part.outputs, outputs.apart(made), strict=True)}
    for value, at in chain.outputs:
        wanted = answer[at : at + chain.sizes[value]]
        if values.setdefault(value, wanted) != wanted:
            raise DimmerError(
                f"{mode.name}: its parts make something else than the whole; convert it again, and report it"
            )
    return values
