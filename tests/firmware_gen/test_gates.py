# SPDX-License-Identifier: Apache-2.0
"""Integer gates as numbers, as bytes, and as the numpy reference of the C."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.gates import (
    BlockGate,
    GateSet,
    GateTable,
    GateTables,
    Linear,
    StageTable,
    block_row,
    choose,
    pool,
    requantize,
    shifted,
)
from tests.firmware_gen.gated import random_gates


def test_pooled_codes_are_means_in_256ths() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(-128, 128, (50, 16, 16, 8)).astype(np.int8)
    expected = np.clip(np.floor((codes.astype(float) + 128).mean((1, 2)) * 0.0235 * 256 + 0.5), 0, 2047)
    assert np.abs(pool(codes, 0.0235, -128) - expected).max() <= 1


def test_requantising_rounds_halves_away_from_zero() -> None:
    x = np.array([3, -3, 5, -5, 1, -1, 0, 6])
    assert requantize(x, 1 << 30, 0).tolist() == [2, -1, 3, -2, 1, 0, 0, 3]
    assert requantize(x, 1 << 30, 1).tolist() == x.tolist()
    assert requantize(4 * x, 1 << 30, -1).tolist() == [3, -3, 5, -5, 1, -1, 0, 6]
    assert requantize(np.array([2, -2, 6, -6]), 1 << 30, -1).tolist() == [1, -1, 2, -2]


def test_a_shift_rounds_halves_up() -> None:
    assert shifted(np.array([-3, -2, -1, 1, 2, 3]), 1).tolist() == [-1, -1, 0, 1, 1, 2]
    assert shifted(np.array([-3, 5]), 0).tolist() == [-3, 5]


def test_a_linear_layer_is_its_matrix() -> None:
    layer = Linear(((1, -2, 3), (-128, 0, 127)), (10, -10))
    assert layer.shape == (2, 3)
    assert layer.data == struct.pack("6b", 1, -2, 3, -128, 0, 127)
    assert layer.sum(np.array([[1, 1, 1], [0, 0, 2]])).tolist() == [[12, -11], [16, 244]]


GATE = BlockGate(Linear(((1, 0),), (0,), 1), Linear(((0,), (1,)), (5, 0)), (8, 0), True, ("a", "b"), ("a", "b"))


def one_gate(gate: BlockGate = GATE) -> GateSet:
    """One channel, one feature and one unit; the state is four times the feature."""
    return GateSet(((gate,),), Linear(((1,),), (0,), 0), Linear(((0,),)))


def test_a_gate_chooses_by_the_pooled_value_and_the_state_goes_on() -> None:
    pooled, level = np.array([[0], [2], [4], [300]]), np.zeros(4, dtype=np.int64)
    chosen, state = choose(one_gate(), 0, pooled, level, np.zeros((4, 1), dtype=np.int64))
    # Features 0, 1, 2 and, at its limit, 127; four times each against the first option's 5.
    assert chosen.tolist() == [[0], [0], [1], [1]]
    assert state.tolist() == [[0], [4], [8], [127]]


def test_the_budget_reaches_a_gate_as_the_last_channel() -> None:
    gate = replace(GATE, entry=Linear(((0, 1),), (0,), 3))
    level = np.array([1, 2, 3])
    chosen, _ = choose(one_gate(gate), 0, np.zeros((3, 1), dtype=np.int64), level, np.zeros((3, 1), dtype=np.int64))
    assert chosen.tolist() == [[0], [0], [1]]


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        (GateSet(((),), Linear(((1,),)), Linear(((0,),))), "gates for 0 blocks"),
        (GateSet(((GATE,) * 65,), Linear(((1,),)), Linear(((0,),))), "gates for 65 blocks"),
        (replace(one_gate(), features=Linear(((1,),), (0,), 32)), "cell has weights over 127"),
        (one_gate(replace(GATE, entry=Linear(((1, 0),), (0,), 0))), "gate 0: its weights are over 127"),
        (one_gate(replace(GATE, entry=Linear(((300, 0),), (0,), 1))), "gate 0 has weights over 127"),
        (one_gate(replace(GATE, entry=Linear(((1, 0),), (2**31 + 5,), 1))), "gate 0 has a bias of more than 32 bits"),
        (replace(one_gate(), state=Linear(((-128,),))), "the gates' cell has weights over 127"),
        (one_gate(replace(GATE, options=(8, 4, 2, 1, 0))), "gate 0: over 256 channels or 4 options"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_gates_that_do_not_fit_the_tables_are_refused(gates: GateSet, message: str) -> None:
    one_gate().check()
    random_gates(0).check()
    with pytest.raises(FirmwareGenError, match=message):
        gates.check()


def test_a_row_names_the_block_of_each_option_executed_then_skipped() -> None:
    gate = replace(GATE, executed=("top", "low"), skipped=("low", "top"))
    assert block_row(gate, 1, ("top", "low"), ((0, 5), (0, 6))) == (5, 6, 5, 5, 6, 5, 6, 6)
    with pytest.raises(FirmwareGenError, match="as mode low does, which the firmware lacks; publish that mode"):
        block_row(gate, 1, ("top",), ((0, 5),))


def test_tables_are_packed_as_the_header_declares_them() -> None:
    stage = StageTable(64, 1 << 30, 100, 8, 0, 2, -9, -128)
    gate = GateTable(0, 4, 8, 12, 10, True, (8, 0), (1, 2, 1, 1, 3, 3, 3, 3))
    tables = GateTables(16, 20, 24, 1, 5, 7, 3, (stage,), (gate,))
    assert stage.pack() == struct.pack("<IiHHBBbb", 64, 1 << 30, 100, 8, 0, 2, -9, -128)
    assert gate.pack() == struct.pack("<4I8B", 0, 4, 8, 12, 10, 2, 1, 0, 8, 0, 0, 0)
    assert tables.cell == struct.pack("<IIIH6B", 16, 20, 24, 1, 5, 7, 3, 0, 0, 0)
    assert tables.data == tables.cell + stage.pack() + gate.pack() + struct.pack("<8H", *gate.blocks)
