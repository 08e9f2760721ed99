# SPDX-License-Identifier: Apache-2.0
"""Cycles of every group of instructions, core by core, each with the place of the manual that says so.

The manuals count with memories that answer at once. Where they give a range, the entry says what is taken of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dimmer.targets.timing.kinds import Kind


@dataclass(frozen=True)
class Cost:
    """Cycles of a group of instructions.

    Attributes:
        cycles: of each, without the refill of the pipeline where it branches.
        source: document and place of the manual.
        per_register: more for each word of a list of registers.
        refills: whether the pipeline is refilled where the next instruction is not the one behind.
        chosen: the attribute of `Timing.latency` that stands in for `cycles`, which depend on the operands or on the
            chip's maker; empty for the others.
    """

    cycles: int
    source: str
    per_register: int = 0
    refills: bool = False
    chosen: str = ""


@dataclass(frozen=True)
class Table:
    """How a core spends its cycles.

    Attributes:
        core: as people call it.
        costs: of each group; one that is missing is not in the core's instruction set.
        macs_per_cycle: 8-bit products that its best instructions multiply and add in a cycle, loads left out.
        pairs_loads: whether a load or store behind a load takes a cycle less, unless it waits for that load's value.
        waits_for_address: cycles that a load or store waits if its address comes from the instruction right before it.
        rules: where the manual says the last two; empty where neither holds.
        guess: why the table is one; empty where the manual gives the figures.
    """

    core: str
    costs: Mapping[Kind, Cost]
    macs_per_cycle: float
    pairs_loads: bool = False
    waits_for_address: int = 0
    rules: str = ""
    guess: str = ""


_M0PLUS = "DDI 0484C, section 3.3, table 3-1"
_M3, _M3_LOADS = "DDI 0337I, section 3.3.1, table 3-1", "DDI 0337I, section 3.3.2"
_M4, _M4_LOADS = "DDI 0439B, section 3.3.1, table 3-1", "DDI 0439B, section 3.3.2"
_M4_FPU = "DDI 0439B, section 7.2.3, table 7-1"

CORTEX_M0PLUS = Table(
    "Cortex-M0+",
    {
        Kind.DATA: Cost(1, _M0PLUS),
        Kind.MULTIPLY: Cost(1, f"{_M0PLUS}: 1 or 32, by the chip's maker; [latency] says which", chosen="multiply"),
        Kind.LOAD: Cost(2, f"{_M0PLUS}: 2, or 1 from the single-cycle I/O port; 2 is taken"),
        Kind.LOAD_MANY: Cost(1, _M0PLUS, per_register=1),
        Kind.LOAD_MANY_PC: Cost(3, f"{_M0PLUS}: 3 + N", per_register=1),
        Kind.STORE: Cost(2, f"{_M0PLUS}: 2, or 1 to the single-cycle I/O port; 2 is taken"),
        Kind.STORE_REGISTER_OFFSET: Cost(2, _M0PLUS),
        Kind.STORE_MANY: Cost(1, _M0PLUS, per_register=1),
        Kind.BRANCH: Cost(1, f"{_M0PLUS}: 1, taken 2", refills=True),
        Kind.CALL: Cost(2, f"{_M0PLUS}: 3", refills=True),
        Kind.BRANCH_REGISTER: Cost(1, f"{_M0PLUS}: 2", refills=True),
        Kind.BARRIER: Cost(3, _M0PLUS),
        Kind.INSTRUCTION_BARRIER: Cost(3, _M0PLUS),
        Kind.SPECIAL_REGISTER: Cost(3, _M0PLUS),
    },
    macs_per_cycle=0.5,  # MULS, ADDS
)

_M3_AND_M4: dict[Kind, Cost] = {
    Kind.DATA: Cost(1, _M4),
    Kind.MULTIPLY: Cost(1, _M4),
    Kind.DIVIDE: Cost(7, f"{_M4}: 2 to 12, by the operands; 7 is taken"),
    Kind.IF_THEN: Cost(1, f"{_M4}: 1, or 0 where it is folded; 1 is taken"),
    Kind.LOAD: Cost(2, f"{_M4}; pipelined behind another load 1: {_M4_LOADS}"),
    Kind.LOAD_PC: Cost(2, _M4, refills=True),
    Kind.LOAD_TWO: Cost(3, f"{_M4}: 1 + N; {_M4_LOADS}"),
    Kind.LOAD_MANY: Cost(1, _M4, per_register=1),
    Kind.LOAD_MANY_PC: Cost(1, f"{_M4}: 1 + N + P", per_register=1, refills=True),
    Kind.STORE: Cost(1, _M4_LOADS),
    Kind.STORE_REGISTER_OFFSET: Cost(2, f"{_M4}; pipelined behind a load 1: {_M4_LOADS}"),
    Kind.STORE_TWO: Cost(3, f"{_M4}: 1 + N; {_M4_LOADS}"),
    Kind.STORE_MANY: Cost(1, _M4, per_register=1),
    Kind.BRANCH: Cost(1, f"{_M4}: 1, taken 1 + P", refills=True),
    Kind.CALL: Cost(1, f"{_M4}: 1 + P", refills=True),
    Kind.BRANCH_REGISTER: Cost(1, f"{_M4}: 1 + P", refills=True),
    Kind.TABLE_BRANCH: Cost(3, f"{_M4_LOADS}: two for the load, one for the addition, and the refill", refills=True),
    Kind.BARRIER: Cost(1, f"{_M4}: 1 + B; B is 0 where no store is under way"),
    Kind.INSTRUCTION_BARRIER: Cost(3, f"{_M4}: 1 + B; B is at least a refill, of which 2 is taken"),
    Kind.SPECIAL_REGISTER: Cost(2, f"{_M4}: 1 or 2; 2 is taken"),
}

CORTEX_M4 = Table(
    "Cortex-M4",
    {
        **_M3_AND_M4,
        Kind.MULTIPLY_ADD: Cost(1, _M4),
        Kind.MULTIPLY_LONG: Cost(1, _M4),
        Kind.MULTIPLY_ADD_LONG: Cost(1, _M4),
        Kind.MULTIPLY_DSP: Cost(1, _M4),
        Kind.FLOAT: Cost(1, _M4_FPU),
        Kind.FLOAT_MULTIPLY_ADD: Cost(3, _M4_FPU),
        Kind.FLOAT_DIVIDE: Cost(14, _M4_FPU),
        Kind.FLOAT_MOVE_TWO: Cost(2, _M4_FPU),
        Kind.FLOAT_LOAD: Cost(2, _M4_FPU),
        Kind.FLOAT_LOAD_DOUBLE: Cost(3, _M4_FPU),
        Kind.FLOAT_LOAD_MANY: Cost(1, f"{_M4_FPU}: 1 + N words", per_register=1),
        Kind.FLOAT_STORE: Cost(2, _M4_FPU),
        Kind.FLOAT_STORE_DOUBLE: Cost(3, _M4_FPU),
        Kind.FLOAT_STORE_MANY: Cost(1, f"{_M4_FPU}: 1 + N words", per_register=1),
    },
    macs_per_cycle=2,  # SMLAD
    pairs_loads=True,
    waits_for_address=1,
    rules=_M4_LOADS,
)

CORTEX_M3 = Table(
    "Cortex-M3",
    {
        **{
            kind: replace(cost, source=cost.source.replace(_M4_LOADS, _M3_LOADS).replace(_M4, _M3))
            for kind, cost in _M3_AND_M4.items()
        },
        Kind.MULTIPLY_ADD: Cost(2, _M3),
        Kind.MULTIPLY_LONG: Cost(4, f"{_M3}: 3 to 5, by the operands; 4 is taken"),
        Kind.MULTIPLY_ADD_LONG: Cost(
            6, f"{_M3}: 4 to 7, by the operands; [latency] says what is taken", chosen="multiply_add_long"
        ),
    },
    macs_per_cycle=0.5,  # MLA takes two
    pairs_loads=True,
    waits_for_address=1,
    rules=_M3_LOADS,
)

CORTEX_M33 = replace(
    CORTEX_M4,
    core="Cortex-M33",
    guess="a guess: the manual of Cortex-M33 (100230) gives no cycles, and the table of Cortex-M4 stands in for it",
)

TABLES: Mapping[str, Table] = {
    "cortex-m0plus": CORTEX_M0PLUS,
    "cortex-m3": CORTEX_M3,
    "cortex-m4": CORTEX_M4,
    "cortex-m33": CORTEX_M33,
}
"""Core, as the compiler calls it -> its table."""
