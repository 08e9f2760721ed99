# SPDX-License-Identifier: Apache-2.0
"""Verification of gated runs: choices against the integer reference, outputs against the interpreter, bit for bit.

The oracle knows nothing of the firmware: the interpreter computes the stream where a stage begins, the numpy reference
of the gates chooses, the stage's blocks are spliced into one .tflite, and so on to the output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.gates import BlockGate, Codes, GateSet, choose, pool
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.core.arrays import Int8, UInt8
from dimmer.pipeline.image.gated_records import Gated
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from dimmer.pipeline.oracle.splice import splice


def gated_oracle(sources: Sequence[ModeSource], gates: GateSet, images: Int8, levels: Codes) -> Gated:
    """What the interpreter and the integer reference make of images with budgets of these levels.

    Args:
        sources: the modes, in the order of their ids.
        images: int8[N,H,W,C].
        levels: int64[N], 0..255.

    Raises:
        DimmerError: the interpreter refuses a spliced file, or the modes do not fit the gates.
    """
    count = len(images)
    names = [source.name for source in sources]
    positions = len(sources[0].boundaries) + 1
    schedules = np.zeros((count, positions), dtype=np.int64)
    bits = np.zeros((count, len(gates.blocks)), np.uint8)
    state = np.zeros((count, gates.state.shape[0]), dtype=np.int64)
    position = gates.first_position
    for number, stage in enumerate(gates.stages):
        for rows, (entry, scale, zero_point) in _streams(sources, schedules, position, images):
            pooled = pool(entry, scale, zero_point)
            picked, state[rows] = choose(gates, number, pooled, levels[rows], state[rows])
            for row, options in zip(rows, picked, strict=True):
                first = position - gates.first_position
                bits[row, first : first + len(stage)] = [g.options[o] for g, o in zip(stage, options, strict=True)]
                schedules[row, position : position + len(stage)] = _modes(stage, options.tolist(), names)
        position += len(stage)
    outputs: dict[int, Int8] = {}
    for rows, (result, _, _) in _streams(sources, schedules, positions, images):
        outputs.update(zip(rows.tolist(), result.reshape(len(rows), -1), strict=True))
    return Gated(np.stack([outputs[row] for row in range(count)]), bits)


def _modes(stage: Sequence[BlockGate], options: Sequence[int], names: Sequence[str]) -> list[int]:
    """The mode that each block of a stage is taken from."""
    last = [gate.options[option] for gate, option in zip(stage, options, strict=True) if gate.skippable]
    skipped = bool(last) and not any(last)
    wanted = [(gate.skipped if skipped else gate.executed)[option] for gate, option in zip(stage, options, strict=True)]
    missing = sorted(set(wanted) - set(names))
    if missing:
        raise DimmerError(f"gates need mode {missing[0]}, which was not converted; publish it")
    return [names.index(name) for name in wanted]


def _streams(
    sources: Sequence[ModeSource], schedules: NDArray[np.int64], stop: int, images: Int8
) -> list[tuple[NDArray[np.int64], tuple[Int8, float, int]]]:
    """For each different way to run the first `stop` positions: its inputs, and the tensor behind it with its scale."""
    found: dict[tuple[int, ...], list[int]] = {}
    for row, schedule in enumerate(schedules[:, :stop].tolist()):
        found.setdefault(tuple(schedule), []).append(row)
    with children.scratch() as work:
        jobs, ends = [], []
        for number, (schedule, rows) in enumerate(found.items()):
            rest = (schedule[-1],) * (schedules.shape[1] - stop)
            path = work / f"{number}.tflite"
            path.write_bytes(splice(sources, (*schedule, *rest), stop))
            graph = read_tflite(path)
            ends.append(graph.tensors[graph.output])
            jobs.append(OracleJob(path, images[rows].tobytes()))
        answers: list[tuple[NDArray[np.int64], tuple[Int8, float, int]]] = []
        for rows, end, answer in zip(found.values(), ends, run_oracle(jobs), strict=True):
            if isinstance(answer, OracleFailure):
                raise DimmerError(f"the TFLite interpreter cannot run a gated inference: {answer.reason}")
            tensor = np.frombuffer(answer, np.int8).reshape(len(rows), *end.shape[1:])
            answers.append((np.array(rows), (tensor, end.q.scale, end.q.zero_point)))
    return answers


def mismatches(expected: Gated, got: Gated) -> int:
    """Inferences of which any output byte, or the bits of any block, differ."""
    return int(((expected.outputs != got.outputs).any(1) | (expected.bits != got.bits).any(1)).sum())


def mode_counts(bits: UInt8, shape: Sequence[int]) -> Mapping[Mode, int]:
    """Mode -> how many inferences ran in it, the most frequent first.

    Args:
        bits: uint8[N, blocks], the width that each block ran with.
        shape: number of blocks of each stage.
    """
    rows, counts = np.unique(bits, axis=0, return_counts=True)
    frequent_first = sorted(zip(rows.tolist(), counts.tolist(), strict=True), key=lambda item: -item[1])
    return {Mode.staged(row, shape): count for row, count in frequent_first}
