# SPDX-License-Identifier: Apache-2.0
"""What Thumb instructions do to the stack pointer and to the way through a function, as GNU objdump writes them."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache, lru_cache

from dimmer.targets.stack.frames import SP, WORD, State, Step, Value, added, known_after, moved, slot
from dimmer.targets.stack.program import Instruction, Program, UnprovenError

CLOBBERED = ("r0", "r1", "r2", "r3", "ip", "lr")
"""What a call may leave changed (AAPCS32)."""

_CONDITIONS = frozenset(
    ("eq", "ne", "cs", "cc", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al")
)
_BRANCHES = ("b", "cbz", "cbnz", "le", "letp", "wls", "wlstp")
_MOVES = ("mov", "movs", "movw")
_SUMS = ("add", "adds", "addw", "sub", "subs", "subw")
_NEGATIONS = ("neg", "negs", "rsb", "rsbs", "mvn", "mvns")
_LISTS = ("push", "pop", "vpush", "vpop", "ldm", "ldmia", "stmdb", "vldmia", "vstmdb")
_ONE_SOURCE = frozenset((*_MOVES, *_NEGATIONS, "ldr", "adr"))
_FOLLOWED = frozenset((*_BRANCHES, *_MOVES, *_SUMS, *_NEGATIONS, *_LISTS)) | frozenset(
    (
        *("bl", "blx", "bx", "bxns", "blxns", "tbb", "tbh", "movt", "lsl", "lsls", "ldr", "str", "ldrd", "strd"),
        *("adr", "cmp", "cmn", "tst", "teq", "udf", "bkpt", "svc", "msr"),
    )
)
_READS = re.compile(
    r"str(?!ex)|cmp|cmn|tst|teq|push|vpush|vstr|stm|vstm|pld|bkpt|svc|nop|it|vcmp|vpt|vpst|vctp|dsb|isb|dmb"
)
_TWO_RESULTS = re.compile(
    r"ldrd|[su]mull|[su]mlal|umaal|smlsl|asrl|lsll|lsrl|[su]q?r?sh[lr]+|sqrshr|vmov|v\w*lv|vmlaldav"
)
_WRITEBACK = re.compile(r"\[sp, #(-?\d+)\]!|\[sp\], #(-?\d+)")
_BASE = re.compile(r"\[(\w+)[^\]]*\]!|\[(\w+)\], |^(\w+)!, \{")
_PLACE = re.compile(r"([0-9a-f]+) <")
_LIST = re.compile(r"\{([^}]*)\}")
_TABLES = {"__gnu_thumb1_case_sqi": (1, True), "__gnu_thumb1_case_uqi": (1, False)}
_TABLES |= {"__gnu_thumb1_case_shi": (2, True), "__gnu_thumb1_case_uhi": (2, False), "__gnu_thumb1_case_si": (4, True)}


@cache
def _parts(mnemonic: str) -> tuple[str, bool]:
    """A mnemonic without width and condition, and whether it has a condition."""
    name = mnemonic.split(".", 1)[0]
    if name not in _FOLLOWED and name[-2:] in _CONDITIONS and name[:-2] in _FOLLOWED:
        return name[:-2], True
    return name, name[-2:] in _CONDITIONS and name not in _FOLLOWED


@lru_cache(maxsize=4096)
def _operands(text: str) -> tuple[str, ...]:
    """Operands, with lists and addresses in one piece."""
    return tuple(re.findall(r"(?:\[[^\]]*\]!?|\{[^}]*\}|[^,\[{])+", text.replace(", ", ","))) if text else ()


def step(program: Program, ins: Instruction, state: State) -> Step:
    """What an instruction does.

    Raises:
        UnprovenError: it does to the stack pointer what is not understood.
    """
    name, conditional = _parts(ins.mnemonic)
    words = _operands(ins.operands)
    way = _way(program, ins, name, words, state)
    if way is None:
        way = Step(((ins.next, _changed(program, ins, name, words, state)),))
    return replace(way, after=(*way.after, (ins.next, state))) if conditional else way


def _way(program: Program, ins: Instruction, name: str, words: tuple[str, ...], state: State) -> Step | None:
    """Where a branch, a call or a return leads; None for other instructions."""
    if name in _BRANCHES:
        target = int(words[-1].split()[0], 16)
        return Step(((target, state),) if name == "b" else ((target, state), (ins.next, state)))
    if name == "bl":
        target = int(words[0].split()[0], 16)
        function = program.function_at(target)
        if function is not None and function.name in _TABLES:
            places = _table(program, ins.next, *_TABLES[function.name], align=function.name.endswith("_si"))
            return Step(tuple((place, _called(state)) for place in places), call=target)
        if function is not None and function is program.function_at(ins.address) and target != function.address:
            # Armv6-M has no other branch that reaches as far; a compiler saves lr in a function that it uses it in.
            return Step(((target, known_after(state, "lr", None)),))
        return Step(((ins.next, _called(state)),), call=target)
    if name == "blx":
        return Step(((ins.next, _called(state)),), pointer=True)
    if name in ("tbb", "tbh"):
        places = _table(program, ins.address + 4, 1 if name == "tbb" else 2, False)
        return Step(tuple((place, state) for place in places))
    if name == "udf":
        return Step()
    if name in ("bxns", "blxns") or (name == "msr" and re.search("sp|control", ins.operands.lower())):
        raise UnprovenError("changes the stack pointer or the state of security")
    if re.fullmatch("bf(l|x|lx|csel)?", name):
        raise UnprovenError("branches where it is not written")
    return _return(ins, name, words, state)


def _return(ins: Instruction, name: str, words: tuple[str, ...], state: State) -> Step | None:
    """A return, or a jump to a place in a register; None for other instructions."""
    if name == "bx" or (name == "mov" and words[0] == "pc"):
        register = words[-1]
        known = state.get(register)
        if register == "lr" or (known is not None and known.returns):
            return Step(back=state)
        return Step(jump=True)
    listed = _LIST.search(ins.operands)
    loads = name in ("pop", "ldm", "ldmia") and listed is not None and "pc" in listed[1]
    if loads or (name == "ldr" and words[0] == "pc"):
        if name == "pop" or words[0] == "sp!" or "[sp]," in ins.operands.replace(" ", ""):
            return Step(back=_changed_stack(ins, name, words, state))
        return Step(jump=True)
    if words and words[0] == "pc" and not _READS.match(name):
        return Step(jump=True)
    return None


def _changed(program: Program, ins: Instruction, name: str, words: tuple[str, ...], state: State) -> State:
    """What is known behind an instruction that leads to the next one."""
    if "[sp, #-" in ins.operands and "]!" not in ins.operands:
        raise UnprovenError("writes below the stack pointer")
    after = _changed_stack(ins, name, words, state)
    if after is not state or not words:
        return after
    if (base := _BASE.search(ins.operands)) is not None:
        after = known_after(after, base[1] or base[2] or base[3], None)
    if _READS.match(name):
        return after
    listed = _LIST.search(ins.operands)
    if listed is not None and name.startswith("ldm"):
        # The address stays what it is, unless it is written back, as above.
        for register in listed[1].split(", "):
            after = known_after(after, register, None)
        return after
    after = known_after(after, words[0].rstrip("!"), _result(program, ins, name, words, state))
    if len(words) > 1 and _TWO_RESULTS.match(name) and words[1] != SP:
        after = known_after(after, words[1], None)
    return after


def _changed_stack(ins: Instruction, name: str, words: tuple[str, ...], state: State) -> State:
    """What is known behind a push, a pop or an access that moves the stack pointer; else the same state."""
    by = 0
    listed = _LIST.search(ins.operands)
    if listed is not None and (name in ("push", "pop", "vpush", "vpop") or words[0] == "sp!"):
        names = _listed(listed[1])
        size = sum(8 if re.fullmatch(r"d\d+", register) else 4 for register in names)
        if name in ("push", "vpush", "stmdb", "vstmdb"):
            by = -size
        elif name in ("pop", "vpop", "ldm", "ldmia", "vldmia"):
            by = size
        else:
            raise UnprovenError("moves the stack pointer as is not known here")
        after = _through_slots(names, state, state[SP].number + min(by, 0), pops=by > 0)
        return known_after(after, SP, moved(state[SP], by))
    found = _WRITEBACK.search(ins.operands)
    if found is None:
        return state
    after = state
    if not _READS.match(name):
        for register in words[: 2 if name == "ldrd" else 1]:
            after = known_after(after, register, None)
    return known_after(after, SP, moved(state[SP], int(found[1] or found[2])))


def _through_slots(names: list[str], state: State, low: int, pops: bool) -> State:
    """What is known once registers went to words of the stack or came from there; `low` is the lowest one.

    Of these words only the return address is followed, which may come back into any register.
    """
    after = state
    for place, register in enumerate(names):
        word = slot(low + 4 * place)
        known = state.get(word if pops else register)
        if pops:
            after = known_after(after, register, known)
        after = known_after(after, word, known if known is not None and known.returns and not pops else None)
    return after


def _listed(text: str) -> list[str]:
    """The registers of a list, ranges written out."""
    found = []
    for part in text.split(", "):
        first, _, last = part.partition("-")
        if last:
            found += [f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:]) + 1)]
        else:
            found.append(first)
    return found


def _result(program: Program, ins: Instruction, name: str, words: tuple[str, ...], state: State) -> Value | None:
    """What an instruction leaves in its first operand; None where that is not known."""
    sources = words[1:] if len(words) > 2 or name in _ONE_SOURCE else words
    if name in _MOVES and len(words) == 2:
        return _value(words[1], state, ins)
    if name in _SUMS and len(sources) == 2:
        one, other = _value(sources[0], state, ins), _value(sources[1], state, ins)
        if name.startswith("sub"):
            other = None if other is None or other.of_stack or other.returns else Value(-other.number & WORD)
        return added(one, other)
    if name == "adr" or (name == "ldr" and words[1].startswith("[pc")):
        found = _PLACE.search(f"{ins.comment} {words[1]}")
        place = int(found[1], 16) if found else -1
        word = place if name == "adr" else program.word(place)
        return None if not found or word is None else Value(word)
    known = state.get(words[0]) if name == "movt" else _value(sources[0], state, ins) if sources else None
    if known is None or known.of_stack or known.returns:
        return None
    if name == "movt":
        return Value((known.number & 0xFFFF) | _number(words[1]) << 16)
    if name in ("lsl", "lsls") and sources[-1][:1] == "#":
        return Value(known.number << _number(sources[-1]) & WORD)
    if name in ("mvn", "mvns"):
        return Value(~known.number & WORD)
    if name in ("neg", "negs") or (name in ("rsb", "rsbs") and sources[-1] == "#0"):
        return Value(-known.number & WORD)
    return None


def _value(operand: str, state: State, ins: Instruction) -> Value | None:
    if operand[:1] == "#":
        return Value(_number(operand) & WORD)
    if operand == "pc":
        # As a base it is rounded down to a word; added to a register it is not.
        return Value((ins.address + 4) & (~3 if "#" in ins.operands else ~1))
    return state.get(operand)


def _number(operand: str) -> int:
    return int(operand.lstrip("#"), 0)


def _called(state: State) -> State:
    return {name: value for name, value in state.items() if name not in CLOBBERED}


def _table(program: Program, start: int, size: int, negative: bool, align: bool = False) -> list[int]:
    """Where a table of distances leads that stands at a place; all that stands there up to the next instruction."""
    base = start + 2 & ~3 if align else start
    end = base
    while (line := program.instructions.get(end)) is not None and line.is_data and line.next > end:
        end = line.next
    words = b"".join(data[base - at : end - at] for at, data in program.sections if at <= base < at + len(data))
    steps = [int.from_bytes(words[i : i + size], "little", signed=negative) for i in range(0, len(words), size)]
    found = [place for step in steps if program.is_code(place := base + (step if size == 4 else 2 * step))]
    if not found:
        raise UnprovenError("jumps by a table that cannot be read")
    return found
