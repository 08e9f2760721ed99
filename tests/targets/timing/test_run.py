# SPDX-License-Identifier: Apache-2.0
"""Stretches of known length on the emulated boards: what the model says is what the manuals say, to the cycle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dimmer.targets import load_target
from dimmer.targets.timing.cycles import Timing
from dimmer.targets.timing.errors import NotModelledError
from dimmer.targets.timing.run import disassembled, guess_of, macs_per_cycle, modelled, table_of

FEW, MANY = 10, 1000


@dataclass(frozen=True)
class Body:
    """What a turn of a loop does beside counting down.

    Attributes:
        lines: of assembly; r0 is the address of 64 bytes, r1 is 4, r2 to r5 are free, r6 counts.
        m0plus, m3, m4: cycles of a turn without subtraction and branch, from the manuals; None where the core lacks an
            instruction.
    """

    lines: str
    m0plus: int | None
    m3: int | None
    m4: int | None


BODIES = {
    "nothing": Body("nop; nop; nop", 3, 3, 3),
    "loads": Body("ldr r2, [r0]; ldr r3, [r0, #4]; ldr r4, [r0, #8]", 6, 4, 4),
    "load waits for load": Body("str r0, [r0]; ldr r2, [r0]; ldr r3, [r2]", 6, 5, 5),
    "load waits for sum": Body("adds r2, r0, #4; ldr r3, [r2]", 3, 4, 4),
    "stores": Body("str r2, [r0]; str r2, [r0, r1]", 4, 3, 3),
    "store behind a load": Body("ldr r2, [r0]; str r2, [r0, r1]", 4, 3, 3),
    "four words": Body("mov r5, r0; ldmia r5!, {r1, r2, r3, r4}; movs r1, #4", 7, 8, 8),
    "stack": Body("push {r2, r3}; pop {r2, r3}", 6, 6, 6),
    "product": Body("muls r2, r1", 1, 1, 1),
    "product and sum": Body("mla r2, r3, r4, r5; mls r2, r3, r4, r5", None, 4, 2),
    "long product": Body("smull r2, r3, r4, r5", None, 4, 1),
    "long product and sum": Body("smlal r2, r3, r4, r5", None, 6, 1),
    "two products": Body("smlad r2, r3, r4, r5", None, None, 1),
    "quotient": Body("udiv r2, r3, r1", None, 7, 7),
    "forward branch": Body("b 2f; nop; nop; 2: nop", 3, 4, 4),
    "call": Body("bl leaf_of_the_test", 3 + 2, 3 + 3, 3 + 3),
    "condition": Body("cmp r1, #4; it eq; moveq r2, r1", None, 3, 3),
}
CORES = {"mps2-an385-v6m": "m0plus", "mps2-an385": "m3", "mps2-an386": "m4", "mps2-an505": "m4"}
PROGRAM = """
#include <stdint.h>
#include "platform.h"

static uint32_t memory[16];
__asm__(".pushsection .text.leaf_of_the_test\\n.syntax unified\\n.thumb_func\\nleaf_of_the_test: bx lr\\n.popsection");

static void turns(uint32_t count, void (*body)(uint32_t count))
{
    (void)platform_ticks();
    body(count);
    (void)platform_ticks();
}
@functions@
int main(void)
{
@calls@
    return 0;
}
"""
FUNCTION = """
static void body@number@(uint32_t count)
{
    register uint32_t turns __asm__("r6") = count;
    register uint32_t *address __asm__("r0") = memory;
    __asm__ volatile(".syntax unified; movs r1, #4; 1: @lines@; subs r6, #1; bne 1b"
                     : "+r"(turns), "+r"(address)
                     : : "r1", "r2", "r3", "r4", "r5", "lr", "cc", "memory");
}
"""


def program(bodies: list[Body]) -> str:
    functions = "".join(
        FUNCTION.replace("@number@", str(n)).replace("@lines@", body.lines) for n, body in enumerate(bodies)
    )
    calls = "\n".join(f"    turns({turns}, body{n});" for n in range(len(bodies)) for turns in (FEW, MANY))
    return PROGRAM.replace("@functions@", functions).replace("@calls@", calls)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.board(name)) for name in CORES])
def test_a_turn_takes_what_the_manual_says(name: str, tmp_path: Path) -> None:
    target, core = load_target(name), CORES[name]
    known = {what: body for what, body in BODIES.items() if getattr(body, core) is not None}
    (tmp_path / "program.c").write_text(program(list(known.values())))
    elf = target.compile([tmp_path / "program.c"], [], tmp_path / "out")
    stretches = modelled(target, elf, [], tmp_path)
    found = {
        what: (many.cycles - few.cycles) / (MANY - FEW)
        for what, few, many in zip(known, stretches[::2], stretches[1::2], strict=True)
    }
    back = 1 + 1 + (1 if core == "m0plus" else 2)
    assert found == {what: getattr(body, core) + back for what, body in known.items()}
    assert all(stretch.functions["turns"].cycles > 0 for stretch in stretches)
    assert all(sum(stretch.spent.values()) == stretch.cycles for stretch in stretches)


@pytest.mark.board("mps2-an386")
def test_wait_states_cost_what_the_cache_does_not_hold(tmp_path: Path) -> None:
    board = load_target("mps2-an386")
    # 32 bytes of a loop: two lines of 16 bytes, or three, by where the loop begins.
    (tmp_path / "program.c").write_text(program([Body("nop; " * 13 + "nop", 14, 14, 14)]))
    elf = board.compile([tmp_path / "program.c"], [], tmp_path / "out")

    def turn(timing: Timing) -> float:
        few, many = modelled(replace(board, timing=timing), elf, [], tmp_path)
        # Lines that are fetched for the first time are few of so many turns.
        return round((many.cycles - few.cycles) / (MANY - FEW), 1)

    assert turn(Timing(2)) == 18
    assert turn(Timing(2, wait_states=5, cache_lines=64)) == 18, "the loop lies in the cache"
    assert turn(Timing(2, wait_states=5, cache_lines=1)) - 18 in (2 * 5, 3 * 5), "every line is fetched in every turn"


def test_cores_and_targets_without_a_model_say_why() -> None:
    with pytest.raises(NotModelledError, match="nothing models the cycles of cortex-m7: there are tables of Cortex-M0"):
        table_of(load_target("mps2-an500"))
    with pytest.raises(NotModelledError, match=r"targets/mps2-an386/target\.toml has no \[timing\]"):
        table_of(replace(load_target("mps2-an386"), timing=None))
    assert [bool(guess_of(name)) for name in ("mps2-an505", "mps2-an386", "riscv-virt", "gone")] == [True, *[False] * 3]
    assert (macs_per_cycle(load_target("mps2-an500")), macs_per_cycle(load_target("mps2-an386"))) == (None, 2)
    board = load_target("mps2-an386")
    blind = replace(board, toolchain=replace(board.toolchain, objcopy=None))
    with pytest.raises(NotModelledError, match="names no objcopy"):
        disassembled(blind, Path("firmware.elf"))


@pytest.mark.board("mps2-an386")
def test_a_firmware_that_reads_no_counter_is_a_reason(tmp_path: Path) -> None:
    board = load_target("mps2-an386")
    (tmp_path / "program.c").write_text("int main(void)\n{\n    return 0;\n}\n")
    elf = board.compile([tmp_path / "program.c"], [], tmp_path / "out")
    with pytest.raises(NotModelledError, match="no function platform_ticks"):
        modelled(board, elf, [], tmp_path)
