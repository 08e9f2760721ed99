# SPDX-License-Identifier: Apache-2.0
"""The oracle of a mid-inference switch: one .tflite spliced from the blocks of several modes.

When the firmware changes the mode between two blocks, the blocks before ran in one mode and those after in another. The
stock interpreter cannot switch, but the .tflite that consists of just these blocks is an ordinary graph: operators,
tensors and constants are taken from each mode's own file, joined at the block boundaries.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.oracle.tflite import pack, unpack


@dataclass(frozen=True)
class _Parsed:
    model: Any
    names: dict[str, int]


def splice(sources: Sequence[ModeSource], schedule: Sequence[int], stop: int | None = None) -> bytes:
    """Builds the .tflite of a block-wise mixed mode.

    Args:
        sources: the modes, in the order of their ids.
        schedule: the mode id in force at each position.
        stop: end after this many positions, with the boundary tensor there as output; None for all.

    Raises:
        DimmerError: the schedule has not one entry a position, or two modes meet at a boundary with different scales.
    """
    from ai_edge_litert import schema_py_generated as schema

    if any(len(source.boundaries) + 1 != len(schedule) for source in sources):
        raise DimmerError(f"a schedule of {len(schedule)} positions does not fit these modes")
    parsed = {}
    for mode in sorted(set(schedule)):
        model = unpack(sources[mode].path.read_bytes())
        names = {tensor.name.decode(): i for i, tensor in enumerate(model.subgraphs[0].tensors)}
        parsed[mode] = _Parsed(model, names)

    result = copy.deepcopy(parsed[schedule[0]].model)
    graph = result.subgraphs[0]
    graph.tensors, graph.operators, result.buffers, result.operatorCodes = [], [], [schema.BufferT()], []
    result.signatureDefs, result.metadata = [], []
    moved: dict[tuple[int, int], int] = {}

    def move(mode: int, tensor: int) -> int:
        """The index in the result of a tensor of a mode's file, copied with its constant when first met."""
        if (mode, tensor) not in moved:
            model = parsed[mode].model
            new = copy.copy(model.subgraphs[0].tensors[tensor])
            data = model.buffers[new.buffer].data
            new.buffer = 0
            if data is not None and len(data):
                buffer = schema.BufferT()
                buffer.data = data
                new.buffer = len(result.buffers)
                result.buffers.append(buffer)
            new.name = f"m{mode}/".encode() + new.name
            moved[mode, tensor] = len(graph.tensors)
            graph.tensors.append(new)
        return moved[mode, tensor]

    def code(mode: int, index: int) -> int:
        wanted = parsed[mode].model.operatorCodes[index]
        for i, known in enumerate(result.operatorCodes):
            if (known.builtinCode, known.version) == (wanted.builtinCode, wanted.version):
                return i
        result.operatorCodes.append(wanted)
        return len(result.operatorCodes) - 1

    alive = [move(schedule[0], int(index)) for index in parsed[schedule[0]].model.subgraphs[0].inputs]
    graph.inputs = list(alive)
    for position, mode in enumerate(schedule[:stop]):
        model, names = parsed[mode].model, parsed[mode].names
        old = model.subgraphs[0]
        edge = sources[mode].boundaries
        start = list(map(int, old.inputs)) if position == 0 else [names[edge[position - 1]]]
        end = list(map(int, old.outputs)) if position == len(schedule) - 1 else [names[edge[position]]]
        for ours, theirs in zip(alive, start, strict=True):
            _check_meeting(graph.tensors[ours], old.tensors[theirs], position)
            moved[mode, theirs] = ours
        for operator in _between(old, start, end):
            new = copy.copy(operator)
            new.opcodeIndex = code(mode, operator.opcodeIndex)
            new.inputs = [move(mode, int(t)) if t >= 0 else -1 for t in operator.inputs]
            new.outputs = [move(mode, int(t)) for t in operator.outputs]
            graph.operators.append(new)
        alive = [moved[mode, index] for index in end]
    graph.outputs = alive
    return pack(result)


def _between(graph: Any, start: Sequence[int], end: Sequence[int]) -> list[Any]:
    """The operators that compute the tensors `end` from the tensors `start`, in their order."""
    needed, chosen = set(end) - set(start), []
    for operator in reversed(graph.operators):
        if needed & {int(t) for t in operator.outputs}:
            chosen.append(operator)
            needed |= {int(t) for t in operator.inputs if t >= 0} - set(start)
    return chosen[::-1]


def _check_meeting(ours: Any, theirs: Any, position: int) -> None:
    a, b = ours.quantization, theirs.quantization
    if list(a.scale) != list(b.scale) or list(a.zeroPoint) != list(b.zeroPoint):
        where = f"{ours.name.decode()} and {theirs.name.decode()}"
        raise DimmerError(f"position {position}: {where} meet with different scales; convert the modes again")
