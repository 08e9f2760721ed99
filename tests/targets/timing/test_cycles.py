# SPDX-License-Identifier: Apache-2.0
"""The model's arithmetic on blocks that are written by hand."""

import pytest

from dimmer.firmware_gen.variants.latency import FITTED, Latency
from dimmer.targets.timing.code import Instruction, parse_code
from dimmer.targets.timing.cycles import Model, Share, Timing
from dimmer.targets.timing.errors import NotModelledError
from dimmer.targets.timing.tables import CORTEX_M0PLUS, CORTEX_M3, CORTEX_M4, Table
from dimmer.targets.timing.trace import Block, Edge

CODE = parse_code("""
00000100 <loop>:
     100:\tldr\tr0, [r4]
     102:\tldr\tr1, [r5]
     104:\tmuls\tr0, r1
     106:\tsubs\tr2, #1
     108:\tbne.n\t100 <loop>
0000010a <leaf>:
     10a:\tbx\tlr
""")
LOOP = Block(0x100, 0x108, 0x10A, 5, 10, 0, [Edge(0x100, 9), Edge(0x10A, 1)])
LEAF = Block(0x10A, 0x10A, 0x10C, 1, 1, 0, [Edge(0x200, 1)])


def model(table: Table = CORTEX_M4, latency: Latency = FITTED, **timing: int) -> Model:
    return Model(table, Timing(**{"branch_refill": 2, **timing}, latency=latency), CODE)


def test_a_loop_takes_its_instructions_and_a_refill_for_each_turn_but_the_last() -> None:
    # Two loads in three cycles, a multiplication, a subtraction, a branch; nine times back.
    found = model().stretch([LOOP, LEAF])
    assert found.functions == {"loop": Share(50, 10 * 6 + 9 * 2), "leaf": Share(1, 1 + 2)}
    assert (found.instructions, found.cycles) == (51, 81)
    assert found.spent == {"products": 10, "loads": 30, "branches": 10 + 18 + 3, "others": 10}
    assert model(CORTEX_M0PLUS, branch_refill=1).stretch([LOOP]).cycles == 10 * (2 + 2 + 1 + 1 + 1) + 9


def test_misses_wait_for_the_flash() -> None:
    missed = Block(0x10A, 0x10A, 0x10C, 1, 1, 3, [])
    found = model(wait_states=5).stretch([missed])
    assert (found.cycles, found.spent) == (1 + 3 * 5, {"branches": 1, "flash": 15})


def test_a_block_that_the_emulator_cut_is_timed_as_if_it_were_whole() -> None:
    first = Block(0x100, 0x100, 0x102, 1, 10, 0, [Edge(0x102, 10)])
    rest = Block(0x102, 0x108, 0x10A, 4, 10, 0, [Edge(0x100, 9), Edge(0x10A, 1)])
    assert model().stretch([first, rest]).cycles == model().stretch([LOOP]).cycles


def test_what_does_not_fit_the_firmware_is_a_reason() -> None:
    with pytest.raises(NotModelledError, match="no instruction at 0x300"):
        model().stretch([Block(0x300, 0x300, 0x302, 1, 1, 0)])
    with pytest.raises(NotModelledError, match="0x100 ends elsewhere"):
        model().stretch([Block(0x100, 0x104, 0x106, 2, 1, 0)])
    bare = Table("a core", {}, 1)
    with pytest.raises(NotModelledError, match="the table of a core has no cycles of ldr"):
        model(bare).stretch([LOOP])


@pytest.mark.parametrize(
    ("before", "instruction", "cycles"),
    [
        (None, ("ldr", "r0, [r1]"), 2),
        (("ldr", "r0, [r1]"), ("ldr", "r2, [r3]"), 1),
        (("ldr", "r0, [r1]"), ("ldr", "r2, [r0]"), 2),
        (("str", "r0, [r1]"), ("ldr", "r2, [r3]"), 2),
        (("ldr", "r0, [r1]"), ("str", "r0, [r3, #4]"), 1),
        (("ldr", "r0, [r1]"), ("str", "r0, [r3, r4]"), 1),
        (("adds", "r3, #4"), ("str", "r0, [r3, r4]"), 3),
        (("adds", "r3, #4"), ("ldr", "r0, [r3]"), 3),
        (("adds", "r3, #4"), ("ldr", "r0, [r4]"), 2),
        (("adds", "r3, #4"), ("ldmia", "r3!, {r0, r1, r2, r4}"), 6),
        (("cmp", "r3, #4"), ("ldr", "r0, [r3]"), 2),
        (("ldr", "r3, [r0]"), ("ldmia", "r3!, {r0, r1}"), 3),
        (None, ("vldmia", "r0!, {d0-d1}"), 5),
    ],
)
def test_neighbours_on_m4(before: tuple[str, str] | None, instruction: tuple[str, str], cycles: int) -> None:
    previous = None if before is None else Instruction(*before)
    assert model().cycles(Instruction(*instruction), previous) == cycles


def test_the_long_multiplication_of_m3_is_the_targets() -> None:
    smlal = Instruction("smlal", "r0, r1, r2, r3")
    assert model(CORTEX_M3).cycles(smlal, None) == 6
    assert model(CORTEX_M3, Latency(multiply_add_long=4)).cycles(smlal, None) == 4
    assert model(CORTEX_M4, Latency(multiply_add_long=4)).cycles(smlal, None) == 1


def test_the_multiplication_of_m0plus_is_what_its_maker_chose() -> None:
    muls = Instruction("muls", "r0, r1, r0")
    assert model(CORTEX_M0PLUS).cycles(muls, None) == 1
    assert model(CORTEX_M0PLUS, Latency(multiply=32)).cycles(muls, None) == 32
