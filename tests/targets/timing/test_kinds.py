# SPDX-License-Identifier: Apache-2.0
"""Instructions by what the tables tell apart."""

import pytest

from dimmer.targets.timing.code import Instruction
from dimmer.targets.timing.errors import NotModelledError
from dimmer.targets.timing.kinds import Kind, kind_of, writes


@pytest.mark.parametrize(
    ("mnemonic", "operands", "kind"),
    [
        ("adds", "r0, #1", Kind.DATA),
        ("addne.w", "r0, r0, #1", Kind.DATA),
        ("movs", "r0, #0", Kind.DATA),
        ("bics", "r0, r1", Kind.DATA),
        ("uqadd16", "r0, r1, r2", Kind.DATA),
        ("cmp", "pc, r0", Kind.DATA),
        ("mov", "pc, lr", Kind.BRANCH_REGISTER),
        ("muls", "r0, r1", Kind.MULTIPLY),
        ("mls", "r0, r1, r2, r3", Kind.MULTIPLY_ADD),
        ("smull", "r0, r1, r2, r3", Kind.MULTIPLY_LONG),
        ("smlal", "r0, r1, r2, r3", Kind.MULTIPLY_ADD_LONG),
        ("smlad", "r0, r1, r2, r3", Kind.MULTIPLY_DSP),
        ("smlaldx", "r0, r1, r2, r3", Kind.MULTIPLY_DSP),
        ("smlalbt", "r0, r1, r2, r3", Kind.MULTIPLY_DSP),
        ("smmulr", "r0, r1, r2", Kind.MULTIPLY_DSP),
        ("smulwb", "r0, r1, r2", Kind.MULTIPLY_DSP),
        ("sdiv", "r0, r1, r2", Kind.DIVIDE),
        ("itte", "ne", Kind.IF_THEN),
        ("ldrsbne.w", "r0, [r1]", Kind.LOAD),
        ("ldr.w", "pc, [r1]", Kind.LOAD_PC),
        ("ldrd", "r0, r1, [r2]", Kind.LOAD_TWO),
        ("ldmia.w", "r0!, {r1, r2}", Kind.LOAD_MANY),
        ("pop", "{r4, pc}", Kind.LOAD_MANY_PC),
        ("strb.w", "r0, [r1, #1]", Kind.STORE),
        ("strh", "r0, [r1, r2]", Kind.STORE_REGISTER_OFFSET),
        ("push", "{r4, lr}", Kind.STORE_MANY),
        ("bls.n", "100 <x>", Kind.BRANCH),
        ("b.w", "100 <x>", Kind.BRANCH),
        ("cbnz", "r0, 100 <x>", Kind.BRANCH),
        ("bl", "100 <x>", Kind.CALL),
        ("blx", "r3", Kind.BRANCH_REGISTER),
        ("bxne", "lr", Kind.BRANCH_REGISTER),
        ("tbb", "[pc, r3]", Kind.TABLE_BRANCH),
        ("dmb", "ish", Kind.BARRIER),
        ("vmov", "r0, s1", Kind.FLOAT),
        ("vmov", "r0, r1, d0", Kind.FLOAT_MOVE_TWO),
        ("vfma.f32", "s0, s1, s2", Kind.FLOAT_MULTIPLY_ADD),
        ("vldr", "s0, [r0]", Kind.FLOAT_LOAD),
        ("vldr", "d0, [r0]", Kind.FLOAT_LOAD_DOUBLE),
        ("vpush", "{d8}", Kind.FLOAT_STORE_MANY),
    ],
)
def test_mnemonics(mnemonic: str, operands: str, kind: Kind) -> None:
    assert kind_of(Instruction(mnemonic, operands)) is kind


@pytest.mark.parametrize("mnemonic", ["vmladava.s8", "bkpt", "svc", "wls"])
def test_what_no_table_knows_is_a_reason(mnemonic: str) -> None:
    with pytest.raises(NotModelledError, match=f"do not know the instruction {mnemonic}"):
        kind_of(Instruction(mnemonic, ""))


@pytest.mark.parametrize(
    ("mnemonic", "operands", "registers"),
    [
        ("adds", "r0, r1, #1", {0}),
        ("cmp", "r0, #1", set()),
        ("ldr", "r3, [r0]", {3}),
        ("smlal", "r4, r5, r0, r1", {4, 5}),
        ("smlald", "r4, r5, r0, r1", {4, 5}),
        ("smlad", "r4, r5, r0, r1", {4}),
        ("str", "r3, [r0]", set()),
    ],
)
def test_what_is_written(mnemonic: str, operands: str, registers: set[int]) -> None:
    assert writes(Instruction(mnemonic, operands)) == registers
