# SPDX-License-Identifier: Apache-2.0
"""What RV32 instructions do to the stack pointer and to the way through a function, as GNU objdump writes them."""

from __future__ import annotations

import re

from dimmer.targets.stack.frames import SP, WORD, State, Step, Value, added, known_after, moved
from dimmer.targets.stack.program import Instruction, Program, UnprovenError

KEPT = frozenset({SP, "gp", "tp", "s0", "s1", *(f"s{number}" for number in range(2, 12))})
"""What a call leaves as it was (RISC-V calling convention)."""

_BRANCH = re.compile(r"b(eq|ne|lt|ge|gt|le)u?z?")
_READS = re.compile(r"(s[bhwd]|fs[hwdq]|nop|fence(\.\w+)?|ebreak|ecall|csr[wcs]i?|wfi)")
_PLACE = re.compile(r"([0-9a-f]+) <")
_BELOW = re.compile(r"-\d+\(sp\)")
_ENDS = ("unimp", "mret", "sret", "c.unimp")


def step(program: Program, ins: Instruction, state: State) -> Step:
    """What an instruction does.

    Raises:
        UnprovenError: it does to the stack pointer what is not understood.
    """
    name, words = ins.mnemonic, ins.operands.split(",") if ins.operands else []
    if name in ("jal", "jalr", "j", "jr", "ret", "tail", "call"):
        return _jump(ins, name, words, state)
    if name in _ENDS:
        return Step()
    if name.startswith("cm."):
        raise UnprovenError("moves the stack pointer as is not known here")
    if _BRANCH.fullmatch(name):
        return Step(((_target(words[-1]), state), (ins.next, state)))
    if _BELOW.search(ins.operands) and _READS.fullmatch(name):
        raise UnprovenError("writes below the stack pointer")
    if _READS.fullmatch(name) or not words:
        return Step(((ins.next, state),))
    return Step(((ins.next, known_after(state, words[0], _result(ins, name, words, state))),))


def _jump(ins: Instruction, name: str, words: list[str], state: State) -> Step:
    if name == "ret":
        return Step(back=state)
    if name in ("j", "tail"):
        return Step(((_target(words[-1]), state),))
    link = words[0] if len(words) > 1 else "zero" if name == "jr" else "ra"
    if link not in ("zero", "ra"):
        # As -msave-restore does: such a function moves the stack pointer of its caller.
        raise UnprovenError(f"calls with {link} as the link register")
    found = _PLACE.search(words[-1] if name in ("jal", "call") else ins.comment)
    target = int(found[1], 16) if found else None
    if link == "ra":
        called = {register: value for register, value in state.items() if register in KEPT}
        return Step(((ins.next, called),), call=target, pointer=target is None)
    if "ra" in re.split(r"[(),]", words[-1]):
        return Step(back=state)
    return Step(jump=True) if target is None else Step(((target, state),))


def _target(word: str) -> int:
    return int(word.split()[0], 16)


def _result(ins: Instruction, name: str, words: list[str], state: State) -> Value | None:
    """What an instruction leaves in its first operand; None where that is not known."""
    name = name.removeprefix("c.")
    if name in ("add", "addi", "addi16sp", "addi4spn", "sub") and len(words) == 3:
        one, other = _value(words[1], state), _value(words[2], state)
        if name == "sub":
            other = None if other is None or other.of_stack else Value(-other.number & WORD)
        return added(one, other)
    if name in ("mv", "li"):
        # Of an address whose second half is 0 this is the whole.
        return moved(_value(words[1], state), 0)
    if name == "lui":
        return Value(int(words[1], 0) << 12 & WORD, half=True)
    if name == "auipc":
        return Value(ins.address + (int(words[1], 0) << 12) & WORD, half=True)
    return None


def _value(operand: str, state: State) -> Value | None:
    if operand == "zero":
        return Value(0)
    try:
        return Value(int(operand, 0) & WORD)
    except ValueError:
        return state.get(operand)
