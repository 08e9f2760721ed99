# SPDX-License-Identifier: Apache-2.0
"""Gates over the hand-built modes, and what the interpreter and the integer reference make of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dimmer.firmware_gen.gates import BlockGate, Codes, GateSet, Linear, choose, pool
from dimmer.pipeline.oracle.interpreter import OracleJob, run_oracle
from dimmer.pipeline.oracle.tflite import pack, unpack
from tests.firmware_gen.modes import MODES, STREAM_SCALE, STREAM_ZERO_POINT, splice

CHANNELS = 8
IMAGE = (1, 10, 10, 3)
CLASSES = 6


def random_linear(rng: np.random.Generator, outputs: int, inputs: int, shift: int, bias: int) -> Linear:
    codes = rng.integers(-127, 128, (outputs, inputs))
    offsets = rng.integers(-bias, bias + 1, outputs)
    return Linear(tuple(tuple(map(int, row)) for row in codes), tuple(map(int, offsets)), shift)


def random_gates(seed: int, features: int = 5, hidden: int = 7, narrow: int = 4) -> GateSet:
    """Two stages: a mandatory block of 8 or `narrow` bits and a skippable one, then a skippable one alone."""
    rng = np.random.default_rng(seed)

    def gate(
        skippable: bool, options: tuple[int, ...], executed: tuple[str, ...], skipped: tuple[str, ...]
    ) -> BlockGate:
        entry = random_linear(rng, features, CHANNELS + 1, 10, 20000)
        return BlockGate(
            entry, random_linear(rng, len(options), hidden, 0, 2000), options, skippable, executed, skipped
        )

    first = (
        gate(False, (8, narrow), ("888", "800"), ("800", "880")),
        gate(True, (8, 0), ("888", "800"), ("888", "800")),
    )
    second = (gate(True, (8, 0), ("888", "880"), ("888", "880")),)
    cell = random_linear(rng, hidden, features, 7, 3000)
    state = Linear(random_linear(rng, hidden, hidden, 0, 0).weights)
    return GateSet((first, second), cell, state)


def stream_of(plan: tuple[int, ...], tensor: str, images: NDArray[np.int8], work: Path) -> NDArray[np.int8]:
    """What the interpreter has at a boundary: int8[N,H,W,C]."""
    model = unpack(splice(plan))
    graph = model.subgraphs[0]
    (at,) = [i for i, t in enumerate(graph.tensors) if t.name == tensor.encode()]
    graph.outputs = [at]
    path = work / "stream.tflite"
    path.write_bytes(pack(model))
    (answer,) = run_oracle([OracleJob(path, images.tobytes())])
    assert isinstance(answer, bytes), answer
    return np.frombuffer(answer, np.int8).reshape(len(images), *IMAGE[1:3], CHANNELS)


def expected_runs(
    gates: GateSet, images: NDArray[np.int8], levels: Codes, work: Path
) -> tuple[NDArray[np.int8], NDArray[np.uint8], set[tuple[int, ...]]]:
    """(outputs int8[N,classes], bits uint8[N,3], the plans that were chosen), from interpreter and numpy alone."""
    names = list(MODES)
    stem = stream_of((0,) * 5, "stem", images, work)
    state = np.zeros((len(images), gates.state.shape[0]), dtype=np.int64)
    first, state = choose(gates, 0, pool(stem, STREAM_SCALE, STREAM_ZERO_POINT), levels, state)
    outputs = np.zeros((len(images), CLASSES), np.int8)
    bits = np.zeros((len(images), 3), np.uint8)
    plans: set[tuple[int, ...]] = set()
    for picked in sorted(set(map(tuple, first.tolist()))):
        rows = np.flatnonzero((first == picked).all(1))
        mandatory, skippable = gates.stages[0]
        source = mandatory.skipped if picked[1] == 1 else mandatory.executed
        plan = (0, names.index(source[picked[0]]), names.index(skippable.executed[picked[1]]))
        boundary = "block0" if picked[1] == 1 else "block1"
        stream = stream_of((*plan, 1, 0), boundary, images[rows], work)
        pooled = pool(stream, STREAM_SCALE, STREAM_ZERO_POINT)
        last, _ = choose(gates, 1, pooled, levels[rows], state[rows])
        for choice in sorted(set(last[:, 0].tolist())):
            members = rows[last[:, 0] == choice]
            whole = (*plan, names.index(gates.stages[1][0].executed[choice]), 0)
            plans.add(whole)
            path = work / "whole.tflite"
            path.write_bytes(splice(whole))
            (answer,) = run_oracle([OracleJob(path, images[members].tobytes())])
            assert isinstance(answer, bytes), answer
            outputs[members] = np.frombuffer(answer, np.int8).reshape(len(members), CLASSES)
            bits[members] = [
                mandatory.options[picked[0]],
                skippable.options[picked[1]],
                gates.stages[1][0].options[choice],
            ]
    return outputs, bits, plans
