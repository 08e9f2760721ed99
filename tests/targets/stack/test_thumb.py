# SPDX-License-Identifier: Apache-2.0
"""Assembly for Arm: what each way of moving the stack pointer comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.targets.stack.frames import START
from dimmer.targets.stack.program import ARM, Instruction, Program, UnprovenError
from dimmer.targets.stack.thumb import step
from tests.targets.stack.programs import Proofs, assembly, linked

pytestmark = pytest.mark.board

BOUNDED = {
    "pushes": ("push {r4-r7, lr}; pop {r4-r7, pc}", 20),
    "wide_pushes": ("push {r4-r11, lr}; sub.w sp, sp, #1024; add.w sp, sp, #1024; pop {r4-r11, pc}", 36 + 1024),
    "floats": ("vpush {d8-d15}; vpush {s16}; vpop {s16}; vpop {d8-d15}; bx lr", 68),
    "stores": ("str r4, [sp, #-4]!; strd r4, r5, [sp, #-16]!; ldrd r4, r5, [sp], #16; ldr r4, [sp], #4; bx lr", 20),
    "multiple_in_place": ("sub sp, #16; stmia sp, {r0-r3}; ldmia.w sp, {r0-r3}; add sp, #16; bx lr", 16),
    "multiple": ("stmdb sp!, {r0-r3}; ldmia sp!, {r0-r3}; bx lr", 16),
    "calls_in_between": ("push {r4, lr}; sub sp, #8; bl pushes; add sp, #8; pop {r4, pc}", 16 + 20),
    "jumps_at_the_end": ("push {r4, lr}; pop {r4, lr}; b.w pushes", 20),
    "jumps_with_a_frame": ("push {r4, lr}; bl pushes; pop {r4, lr}; b.w wide_pushes", 36 + 1024),
    "back_through_another_register": ("sub sp, #8; push {r4, lr}; pop {r4}; pop {r3}; add sp, #8; bx r3", 16),
    "back_through_a_copy": ("mov r5, lr; push {r4}; bl pushes; pop {r4}; bx r5", 24),
    "conditionally": ("push {r4, lr}; cmp r0, #0; it eq; popeq {r4, pc}; sub sp, #8; add sp, #8; pop {r4, pc}", 16),
    "from_a_frame_pointer": (
        "push {r7, lr}; mov r7, sp; sub sp, #40; bl pushes; mov sp, r7; pop {r7, pc}",
        8 + 40 + 20,
    ),
    "by_a_constant": (
        "push {r4, lr}; movw r4, #0x4000; movt r4, #1; sub sp, r4; add sp, r4; pop {r4, pc}",
        8 + 0x14000,
    ),
    "in_a_loop": ("push {r4, lr}; 1: push {r0}; pop {r0}; subs r0, #1; bne 1b; pop {r4, pc}", 12),
    "into_its_middle": (
        "push {r4, lr}; adr r1, 1f; add r1, r0; orr r1, r1, #1; bx r1; .balign 4; 1: nop; nop; pop {r4, pc}",
        8,
    ),
    "far_within_itself": ("push {r4, lr}; bl 1f; 2: pop {r4, pc}; 1: sub sp, #8; bl pushes; add sp, #8; b 2b", 16 + 20),
}
REFUSED = {
    "by_what_it_is_given": ("sub sp, sp, r0; add sp, sp, r0; bx lr", "not known before it runs"),
    "rounded": ("mov r4, sp; bic r4, r4, #31; mov sp, r4; bx lr", "not known before it runs"),
    "loaded": ("ldr sp, [r0]; bx lr", "not known before it runs"),
    "grows": ("1: push {r0}; subs r0, #1; bne 1b; b .", "takes more stack with each turn of a loop"),
    "leaves_something": ("push {r4, lr}; ldr r4, [sp, #4]; bx lr", "returns with another stack pointer"),
    "takes_from_its_caller": ("pop {r4, pc}", "returns with another stack pointer"),
    "below": ("str r0, [sp, #-8]; bx lr", "writes below the stack pointer"),
    "another_stack": ("msr psp, r0; bx lr", "changes the stack pointer"),
    "calls_its_own_middle": ("push {r4, lr}; bl 1f; pop {r4, pc}; 1: bx lr", "returns with another stack pointer"),
    "anywhere": ("push {r4, lr}; bx r0", "jumps to a place that is not known"),
    "a_pointer": ("bx r0", "calls through a pointer"),
    "what_is_left_there": ("push {lr}; pop {r4}; push {r0}; pop {r3}; bx r3", "calls through a pointer"),
    "a_number": ("ldr r0, =0x20001000; mov sp, r0; bx lr; .ltorg", "puts a number into the stack pointer"),
    "into_data": ("nop; .word 0", "runs into what is no code"),
    "lists_otherwise": ("ldmdb sp!, {r0, r1}; bx lr", "as is not known here"),
}


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Proofs:
    texts = {name: text for name, (text, _) in {**BOUNDED, **REFUSED}.items()}
    folder = tmp_path_factory.mktemp("thumb")
    return Proofs.of(linked(folder, "cortex-m4", assembly(texts)), "cortex-m4")


@pytest.mark.parametrize("name", BOUNDED)
def test_what_has_a_bound(proofs: Proofs, name: str) -> None:
    assert proofs[name] == BOUNDED[name][1]


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_none_is_told_with_its_place(proofs: Proofs, name: str) -> None:
    with pytest.raises(UnprovenError, match=rf"{name}.*{REFUSED[name][1]}"):
        proofs.depth(name)


@pytest.mark.parametrize(
    ("mnemonic", "operands", "why"),
    [
        ("bf", "1a, 2c <there>", "branches where it is not written"),
        ("bflx", "1a, r3", "branches where it is not written"),
        ("msr", "CONTROL, r0", "changes the stack pointer"),
        ("bxns", "lr", "the state of security"),
        ("srsdb", "sp!, #19", "not known before it runs"),
    ],
)
def test_instructions_that_nothing_here_follows(mnemonic: str, operands: str, why: str) -> None:
    with pytest.raises(UnprovenError, match=why):
        step(NOTHING, Instruction(0, 4, mnemonic, operands, ""), START)


NOTHING = Program(ARM, 0, False, {}, [], [], [])


def test_armv6m_builds_large_frames_from_constants(tmp_path: Path) -> None:
    text = "push {r4, lr}; ldr r4, =-3000; add sp, r4; ldr r4, =3000; add sp, r4; pop {r4, pc}; .ltorg"
    shifted = "push {r4, lr}; movs r4, #128; lsls r4, #4; negs r4, r4; add sp, r4; mvns r4, r4; adds r4, #1"
    shifted += "; add sp, r4; pop {r4, pc}"
    elf = linked(
        tmp_path, "cortex-m0plus", assembly({"pooled": text, "shifted": shifted}), ("-O2", "-masm-syntax-unified")
    )
    proofs = Proofs.of(elf, "cortex-m0plus")
    assert (proofs["pooled"], proofs["shifted"]) == (3008, 2056)


@pytest.mark.parametrize("name", ["loops", "saves"])
def test_helium(tmp_path: Path, name: str) -> None:
    texts = {
        "loops": "push {r4, lr}; dlstp.8 lr, r0; 1: vldrb.8 q0, [r1], #16; letp lr, 1b; pop {r4, pc}",
        "saves": "vpush {d8-d11}; vstrw.32 q0, [sp, #-16]!; vldrw.u32 q0, [sp], #16; vpop {d8-d11}; bx lr",
    }
    proofs = Proofs.of(linked(tmp_path, "cortex-m55", assembly(texts)), "cortex-m55")
    assert proofs[name] == {"loops": 8, "saves": 48}[name]
