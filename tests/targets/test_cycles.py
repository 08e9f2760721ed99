# SPDX-License-Identifier: Apache-2.0
"""Cycles of the cores that are simulated from their RTL: loops take what the cores' manuals say, to the cycle.

Ibex: "Pipeline Details" of its reference guide (stall cycles; an instruction takes one more) and, for the divider,
"Multiplier/Divider Block", doc/03_reference in the package pythondata-cpu-ibex; it tells nothing of loads and stores
with the third stage, which maxperf has. CV32E40P:
"Cycle counts per instruction type" of its user manual, docs/source/pipeline.rst in the package pythondata-cpu-cv32e40p.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from dimmer.targets import load_target
from dimmer.targets.target import TARGETS
from tests.boards import SIMULATED, SIMULATED_PARAMS

BODIES = {
    "add": "add t0, t1, t2",
    "mul": "mul t0, t1, t2",
    "mulh": "mulh t0, t1, t2",
    "div": "div t0, t1, t2",
    "load": "lw t0, 0(t3)",
    "store": "sw t1, 0(t3)",
    "jump": "j 2f\n2:",
    "taken": "beq t1, t1, 2f\n2:",
    "not taken": "bne t1, t1, 1b",
}
"""Name -> an instruction, which stands REPEATED times in a loop."""
SMALL = {"add": 1, "mul": 3, "mulh": 4, "div": 37, "load": 2, "store": 2, "jump": 2, "taken": 3, "not taken": 1}
MAXPERF = {"add": 1, "mul": 1, "mulh": 2, "div": 37, "jump": 2, "taken": 2, "not taken": 1}
# The divider's cycles fall with the leading zeros of what is divided by, which has none here.
CV32E40P = {"add": 1, "mul": 1, "mulh": 5, "div": 3, "load": 1, "store": 1, "jump": 2, "taken": 3, "not taken": 1}
DOCUMENTED: Mapping[str, Mapping[str, int]] = {"ibex-small": SMALL, "ibex-maxperf": MAXPERF, "cv32e40p": CV32E40P}
"""Cycles of each, with a memory that answers in the next cycle."""
REPEATED, TURNS = 16, 1000

PROGRAM = r"""
#include "platform.h"
#include "text.h"
#include "@text@"

static uint32_t place;

@functions@
int main(void)
{
    static text_t text;

    text_begin(&text, "cycles");
    @calls@
    text_end(&text);
    return 0;
}
"""
# TURNS more turns: what reading the counter and entering the loop take is left out.
FUNCTION = r"""
static uint32_t @name@(uint32_t turns)
{
    const uint32_t start = platform_cycles();

    __asm__ volatile(".option push\n\t.option norvc\n\t"
                     "mv t3, %1\n\tli t1, 7\n\tli t2, 0x80000000\n\t.balign 16\n"
                     "1:\n\t.rept @repeated@\n\t@body@\n\t.endr\n\taddi %0, %0, -1\n\tbnez %0, 1b\n\t.option pop"
                     : "+r"(turns) : "r"(&place) : "t0", "t1", "t2", "t3", "memory");
    return platform_cycles() - start;
}
"""


def program() -> str:
    functions, calls = [], []
    for number, (name, body) in enumerate(BODIES.items()):
        text = FUNCTION.replace("@name@", f"loop{number}").replace("@repeated@", str(REPEATED))
        functions.append(text.replace("@body@", body.replace("\n", r"\n")))
        difference = f"loop{number}({2 * TURNS}u) - loop{number}({TURNS}u)"
        calls.append(f'text_number(&text, "{name}", {difference});')
    source = PROGRAM.replace("@text@", str(TARGETS / "app" / "text.c"))
    return source.replace("@functions@", "".join(functions)).replace("@calls@", "\n    ".join(calls))


def test_every_simulated_core_has_its_manual() -> None:
    assert sorted(DOCUMENTED) == sorted(SIMULATED)


@pytest.mark.parametrize("name", SIMULATED_PARAMS)
def test_loops_take_what_the_manual_says(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    source = tmp_path / "loops.c"
    source.write_text(program())
    elf = target.compile([source], [], tmp_path / "out")
    measured = json.loads(target.run(elf, [], tmp_path).stdout)
    manual = DOCUMENTED[name]
    around = manual["add"] + manual["taken"]
    expected = {body: TURNS * (REPEATED * cycles + around) for body, cycles in manual.items()}
    assert {body: measured[body] for body in manual} == expected
