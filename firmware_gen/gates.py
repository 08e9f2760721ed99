# SPDX-License-Identifier: Apache-2.0
"""Integer gates: what `runtime/src/gates.c` computes, as numbers, as bytes, and as a numpy reference of the same
bits.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.fixed_point import quantize_multiplier

MAX_GATES = 64
MAX_UNITS = 32
MAX_CHANNELS = 256
MAX_OPTIONS = 4
MODE_GATED = 255
MAX_CODE = 127
MAX_POOLED = 2047
POOL_FRACTION = 8
FEATURE_TO_STATE = 2
LEVEL_SHIFT = 2

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Linear:
    """W x + b, shifted right.

    Attributes:
        weights: int8 codes, one row an output.
        bias: int32, in the steps of the sum; () for none.
        shift: right shift of the sum, rounding half up.
    """

    weights: tuple[tuple[int, ...], ...]
    bias: tuple[int, ...] = ()
    shift: int = 0

    @property
    def data(self) -> bytes:
        """The weights' bytes, row by row."""
        return bytes(code & 0xFF for row in self.weights for code in row)

    @property
    def shape(self) -> tuple[int, int]:
        """(outputs, inputs)."""
        return len(self.weights), len(self.weights[0])

    def sum(self, x: Codes) -> Codes:
        """int64[N, inputs] -> int64[N, outputs], before the shift."""
        total: Codes = x @ np.array(self.weights, dtype=np.int64).T
        return total + np.array(self.bias, dtype=np.int64) if self.bias else total


@dataclass(frozen=True)
class BlockGate:
    """The gate of one block.

    Attributes:
        entry: pooled channels and level -> features.
        head: state -> logits; its shift is 0.
        options: bits, falling.
        skippable: whether the block belongs to the stage's skippable sub-path.
        executed: for each option the name of a mode whose block at this position runs with these bits while the
            sub-path of the stage is executed.
        skipped: the same while it is skipped.
    """

    entry: Linear
    head: Linear
    options: tuple[int, ...]
    skippable: bool
    executed: tuple[str, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class GateSet:
    """The gates of a model.

    Attributes:
        stages: the blocks of each stage, in order.
        features: the cell's matrix of the features; its shift is that of the cell's sum.
        state: the cell's matrix of the state, without bias.
        first_position: of the first block in the schedules.
    """

    stages: tuple[tuple[BlockGate, ...], ...]
    features: Linear
    state: Linear
    first_position: int = 1

    @property
    def blocks(self) -> tuple[BlockGate, ...]:
        """All blocks, in order."""
        return tuple(gate for stage in self.stages for gate in stage)

    def check(self) -> None:
        """Raises FirmwareGenError where a number does not fit the tables."""
        hidden, features = self.features.shape
        worst = max(len(self.blocks), 1)
        if worst > MAX_GATES or hidden > MAX_UNITS or features > MAX_UNITS or not self.blocks:
            raise FirmwareGenError(
                f"gates for {len(self.blocks)} blocks with {features} features and {hidden} units; at most "
                f"{MAX_GATES}, {MAX_UNITS} and {MAX_UNITS}"
            )
        for number, gate in enumerate(self.blocks):
            if gate.entry.shape[1] - 1 > MAX_CHANNELS or len(gate.options) > MAX_OPTIONS:
                raise FirmwareGenError(f"gate {number}: over {MAX_CHANNELS} channels or {MAX_OPTIONS} options")
            if not 1 <= gate.entry.shift <= 31:
                raise FirmwareGenError(f"gate {number}: its weights are over {MAX_CODE}; train the gates again")
            _check_linear(f"gate {number}", gate.entry, gate.head)
        if not 0 <= self.features.shift <= 31:
            raise FirmwareGenError(f"the gates' cell has weights over {MAX_CODE}; train the gates again")
        _check_linear("the gates' cell", self.features, self.state)


def _check_linear(what: str, *matrices: Linear) -> None:
    """Raises FirmwareGenError where a number is not one of the tables' types, which would take what is left of it."""
    for matrix in matrices:
        if any(abs(code) > MAX_CODE for row in matrix.weights for code in row):
            raise FirmwareGenError(f"{what} has weights over {MAX_CODE}; train the gates again")
        if any(not -(2**31) <= value < 2**31 for value in matrix.bias):
            raise FirmwareGenError(f"{what} has a bias of more than 32 bits; train the gates again")


def shifted(x: Codes, shift: int) -> Codes:
    """Right shift that rounds half up."""
    return x if shift == 0 else (x + (1 << (shift - 1))) >> shift


def pool_multiplier(scale: float, pixels: int) -> tuple[int, int]:
    """Multiplier and shift from a sum over the pixels to the mean in 1/256."""
    return quantize_multiplier(scale * 2.0**POOL_FRACTION / pixels)


def requantize(x: Codes, multiplier: int, shift: int) -> Codes:
    """TFLite's MultiplyByQuantizedMultiplier, as `runtime/include/dimmer_fixed_point.h` computes it."""
    left, right = max(shift, 0), max(-shift, 0)
    high = ((x << left) * multiplier + (1 << 30)) >> 31
    if right == 0:
        return high
    mask = (1 << right) - 1
    threshold = (mask >> 1) + (high < 0)
    return (high >> right) + ((high & mask) > threshold)


def pool(entry: NDArray[np.int8], scale: float, zero_point: int) -> Codes:
    """int8[N,H,W,C] -> the mean of each channel in 1/256, int64[N,C]."""
    pixels = entry.shape[1] * entry.shape[2]
    total = entry.astype(np.int64).sum((1, 2)) - pixels * zero_point
    return np.clip(requantize(total, *pool_multiplier(scale, pixels)), 0, MAX_POOLED)


def choose(gates: GateSet, stage: int, pooled: Codes, level: Codes, state: Codes) -> tuple[Codes, Codes]:
    """What the gates of a stage choose.

    Args:
        pooled: of the stream where the stage begins, int64[N,C].
        level: of the budget, int64[N].
        state: of the cell, int64[N,hidden]; 0 before the first stage.

    Returns:
        (index among the options of each block, int64[N,blocks]; the new state)
    """
    inputs = np.concatenate([pooled, level[:, None] << LEVEL_SHIFT], 1)
    chosen = []
    for gate in gates.stages[stage]:
        features = np.clip(shifted(gate.entry.sum(inputs), gate.entry.shift), 0, MAX_CODE)
        total = (gates.features.sum(features) - np.array(gates.features.bias)) * (1 << FEATURE_TO_STATE)
        total = total + np.array(gates.features.bias) + gates.state.sum(state)
        state = np.clip(shifted(total, gates.features.shift), -MAX_CODE, MAX_CODE)
        # The first of equals, as in C.
        chosen.append(gate.head.sum(state).argmax(1))
    return np.stack(chosen, 1), state


@dataclass(frozen=True)
class StageTable:
    """One dimmer_gate_stage_t."""

    input: int
    multiplier: int
    pixels: int
    channels: int
    first_gate: int
    gate_count: int
    shift: int
    zero_point: int

    def pack(self) -> bytes:
        """Its bytes."""
        return struct.pack(
            "<IiHHBBbb",
            *(self.input, self.multiplier, self.pixels, self.channels),
            *(self.first_gate, self.gate_count, self.shift, self.zero_point),
        )


@dataclass(frozen=True)
class GateTable:
    """One dimmer_gate_t, and its row of block indexes."""

    entry_weights: int
    entry_bias: int
    head_weights: int
    head_bias: int
    entry_shift: int
    skippable: bool
    options: tuple[int, ...]
    blocks: tuple[int, ...]

    def pack(self) -> bytes:
        """Its bytes, without those of the block indexes."""
        offsets = (self.entry_weights, self.entry_bias, self.head_weights, self.head_bias)
        options = (*self.options, *(0,) * (MAX_OPTIONS - len(self.options)))
        return struct.pack("<IIIIBBBB4B", *offsets, self.entry_shift, len(self.options), self.skippable, 0, *options)


@dataclass(frozen=True)
class GateTables:
    """What the emitter writes of the gates."""

    feature_weights: int
    state_weights: int
    bias: int
    first_position: int
    features: int
    hidden: int
    shift: int
    stages: tuple[StageTable, ...]
    gates: tuple[GateTable, ...]

    @property
    def cell(self) -> bytes:
        """The bytes of dimmer_gate_cell_t."""
        offsets = (self.feature_weights, self.state_weights, self.bias)
        sizes = (self.features, self.hidden, self.shift, 0, 0, 0)
        return struct.pack("<IIIH6B", *offsets, self.first_position, *sizes)

    @property
    def data(self) -> bytes:
        """All bytes, in the order of the model's CRC."""
        tables: list[bytes] = [self.cell, *(stage.pack() for stage in self.stages)]
        tables += [gate.pack() for gate in self.gates]
        tables += [struct.pack(f"<{len(gate.blocks)}H", *gate.blocks) for gate in self.gates]
        return b"".join(tables)


def block_row(
    gate: BlockGate, position: int, modes: Sequence[str], schedules: Sequence[Sequence[int]]
) -> tuple[int, ...]:
    """The block of each option, with the sub-path executed and skipped; what is no option repeats the first.

    Raises:
        FirmwareGenError: a mode that holds a block is not among the firmware's.
    """
    numbers: Mapping[str, int] = {name: number for number, name in enumerate(modes)}
    row: list[int] = []
    for sources in (gate.executed, gate.skipped):
        for name in sources:
            if name not in numbers:
                raise FirmwareGenError(
                    f"the gates run block {position} as mode {name} does, which the firmware lacks; publish that mode"
                )
        found = [schedules[numbers[name]][position] for name in sources]
        row += found + found[:1] * (MAX_OPTIONS - len(found))
    return tuple(row)
