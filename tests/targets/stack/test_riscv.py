# SPDX-License-Identifier: Apache-2.0
"""Assembly for RISC-V: what each way of moving the stack pointer comes to."""

from __future__ import annotations

import pytest

from dimmer.targets.stack.frames import START
from dimmer.targets.stack.program import RISCV, Instruction, Program, UnprovenError
from dimmer.targets.stack.riscv import step
from tests.targets.stack.programs import Proofs, assembly, linked

pytestmark = pytest.mark.board("riscv-virt")

BOUNDED = {
    "moves": ("addi sp, sp, -32; sw ra, 28(sp); lw ra, 28(sp); addi sp, sp, 32; ret", 32),
    "calls_in_between": ("addi sp, sp, -16; sw ra, 12(sp); call moves; lw ra, 12(sp); addi sp, sp, 16; ret", 48),
    "jumps_at_the_end": ("addi sp, sp, -16; addi sp, sp, 16; tail moves", 32),
    "by_a_constant": ("li t0, -70000; add sp, sp, t0; sub sp, sp, t0; ret", 70_000),
    "by_two_parts": ("lui t0, 0xfffff; addi t0, t0, -16; add sp, sp, t0; li t1, 4112; add sp, sp, t1; ret", 4112),
    "from_a_frame_pointer": (
        "addi sp, sp, -16; sw s0, 8(sp); addi s0, sp, 16; addi sp, sp, -64; addi sp, s0, -16; lw s0, 8(sp); "
        "addi sp, sp, 16; ret",
        80,
    ),
    "in_a_loop": ("1: addi sp, sp, -16; addi sp, sp, 16; addi a0, a0, -1; bnez a0, 1b; ret", 16),
}
REFUSED = {
    "by_what_it_is_given": ("sub sp, sp, a0; add sp, sp, a0; ret", "not known before it runs"),
    "rounded": ("andi sp, sp, -32; ret", "not known before it runs"),
    "grows": ("1: addi sp, sp, -16; addi a0, a0, -1; bnez a0, 1b; j .", "takes more stack with each turn of a loop"),
    "leaves_something": ("addi sp, sp, -16; ret", "returns with another stack pointer"),
    "below": ("sw a0, -8(sp); ret", "writes below the stack pointer"),
    "a_pointer": ("jr a0", "calls through a pointer"),
    "a_pointer_in_between": ("addi sp, sp, -16; jalr a0; addi sp, sp, 16; ret", "calls through a pointer"),
    "anywhere": ("addi sp, sp, -16; jr a0", "jumps to a place that is not known"),
    "another_link_register": ("jal t0, moves; ret", "calls with t0 as the link register"),
    "a_number": ("lui sp, 0x80001; ret", "puts a number into the stack pointer"),
}


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Proofs:
    texts = {name: text for name, (text, _) in {**BOUNDED, **REFUSED}.items()}
    return Proofs.of(linked(tmp_path_factory.mktemp("riscv"), "rv32imac", assembly(texts)), "rv32imac")


@pytest.mark.parametrize("name", BOUNDED)
def test_what_has_a_bound(proofs: Proofs, name: str) -> None:
    assert proofs[name] == BOUNDED[name][1]


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_none_is_told_with_its_place(proofs: Proofs, name: str) -> None:
    with pytest.raises(UnprovenError, match=rf"{name}.*{REFUSED[name][1]}"):
        proofs.depth(name)


def test_pushes_of_newer_cores_are_refused() -> None:
    with pytest.raises(UnprovenError, match="moves the stack pointer as is not known here"):
        step(Program(RISCV, 0, False, {}, [], [], []), Instruction(0, 2, "cm.push", "{ra},-16", ""), START)
