# SPDX-License-Identifier: Apache-2.0
"""The frame of a function: every way through its instructions, with where the stack pointer stands at each.

What an instruction does to the stack pointer is the instruction set's to say (`thumb`, `riscv`). Of registers only
that is followed which can come back into the stack pointer: constants and distances from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from dimmer.targets.stack.program import Instruction, Program, UnprovenError

SP = "sp"
WORD = 0xFFFFFFFF
LONGEST_TABLE = 4096
TURNS = 16
"""So often a place may be met with a deeper stack before it is a loop that grows without end."""


@dataclass(frozen=True)
class Value:
    """What is known of a register.

    Attributes:
        of_stack: whether `number` counts from where the stack pointer stood when the function was called.
        returns: whether it is where the function was called from; `number` says nothing then.
        half: whether it is the first half of an address, to which the other one will be added.
    """

    number: int
    of_stack: bool = False
    returns: bool = False
    half: bool = False


State = Mapping[str, Value]
"""By register; by `slot` what a word on the stack holds, where that is the return address."""

START: State = {SP: Value(0, of_stack=True), "lr": Value(0, returns=True)}


@dataclass(frozen=True)
class Step:
    """What an instruction does.

    Attributes:
        after: places that come next, and what is known there.
        call: the place of the function that it calls; None where it calls none.
        pointer: calls through a pointer.
        jump: jumps to a place that was computed.
        back: what is known where it returns to the caller; None where it does not.
    """

    after: tuple[tuple[int, State], ...] = ()
    call: int | None = None
    pointer: bool = False
    jump: bool = False
    back: State | None = None


@dataclass(frozen=True)
class Call:
    """A call.

    Attributes:
        address: of the instruction.
        depth: bytes of stack that the caller has taken by then.
        target: None through a pointer.
    """

    address: int
    depth: int
    target: int | None


@dataclass(frozen=True)
class Frame:
    """What a function takes itself.

    Attributes:
        depth: most bytes.
        calls: of others.
    """

    depth: int
    calls: tuple[Call, ...]


Semantics = Callable[[Program, Instruction, State], Step]


@dataclass
class _Walk:
    """A function that is being walked through.

    Attributes:
        seen: place -> what is known there, whichever way leads to it.
        jumps: of computed jumps, the place and what is known there.
    """

    program: Program
    semantics: Semantics
    start: int
    seen: dict[int, State] = field(default_factory=dict)
    met: Counter[int] = field(default_factory=Counter)
    calls: dict[int, Call] = field(default_factory=dict)
    jumps: dict[int, State] = field(default_factory=dict)
    depth: int = 0

    def fail(self, why: str, address: int) -> UnprovenError:
        """An error that says where."""
        name = self.program.name_of(self.start)
        ins = self.program.instructions.get(address)
        return UnprovenError(f"{name} {why} at {address:#x}" + (f" ({ins})" if ins else ""))

    def through(self, work: list[tuple[int, State]]) -> None:
        """Follows everything that can run from these places on."""
        while work:
            at, state = work.pop()
            known = self.seen.get(at)
            if known is not None:
                state = _joined(known, state)
                if state == known:
                    continue
                self.met[at] += 1
                if self.met[at] > TURNS:
                    raise self.fail("takes more stack with each turn of a loop", at)
            self.seen[at] = state
            work.extend(self.one(at, state))

    def one(self, at: int, state: State) -> tuple[tuple[int, State], ...]:
        """One instruction: where it leads."""
        ins = self.program.instructions.get(at)
        if ins is None or ins.is_data:
            raise self.fail("runs into what is no code", at)
        try:
            step = self.begun(self.semantics(self.program, ins, state))
        except UnprovenError as error:
            raise self.fail(str(error), at) from None
        depth = -state[SP].number if state[SP].of_stack else 0
        self.depth = max(self.depth, depth, *(-after[SP].number for _, after in step.after if after[SP].of_stack))
        if step.back is not None and step.back[SP].number != 0:
            raise self.fail("returns with another stack pointer than it was called with", at)
        if step.call is not None or step.pointer:
            self.calls[at] = Call(at, depth, step.call)
            return tuple(way for way in step.after if self.comes_back(ins, way[0]))
        if step.jump:
            self.jumps[at] = state
        return step.after

    def begun(self, step: Step) -> Step:
        """The step with the stack as it is where the program's first function makes one."""
        if all(state[SP].of_stack for _, state in step.after):
            return step
        if self.start != self.program.entry:
            raise UnprovenError("puts a number into the stack pointer")
        after = []
        for place, state in step.after:
            follows = self.program.instructions.get(place)
            # An address comes in two parts.
            whole = follows is None or not follows.operands.startswith(SP)
            after.append((place, {**state, SP: Value(0, of_stack=True)} if whole else state))
        return replace(step, after=tuple(after))

    def constants(self) -> frozenset[int]:
        """Numbers that are in a register at some moment."""
        values = {value for state in self.seen.values() for value in state.values()}
        return frozenset(v.number for v in values if not (v.of_stack or v.returns or v.half))

    def comes_back(self, ins: Instruction, place: int) -> bool:
        """Whether anything can run behind a call: not where another function or data stands there."""
        program = self.program
        while (behind := program.instructions.get(place)) is not None and behind.mnemonic.startswith("nop"):
            place = behind.next
        return program.is_code(place) and program.function_at(ins.address) is program.function_at(place)


def frame_of(program: Program, semantics: Semantics, start: int) -> Frame:
    """The frame of the function that begins at a place; what it jumps to for good is a part of it.

    Raises:
        UnprovenError: something that it does to the stack pointer has no bound or is not understood.
    """
    walk = _Walk(program, semantics, start)
    walk.through([(start, START)])
    done: set[int] = set()
    while left := walk.jumps.keys() - done:
        at = min(left)
        done.add(at)
        _enter(walk, at)
    return Frame(walk.depth, tuple(walk.calls.values()))


def _enter(walk: _Walk, at: int) -> None:
    """Follows a computed jump: into the function itself, or, where the frame has been given back, through a pointer."""
    state = walk.jumps[at]
    depth = -state[SP].number
    places = _places_within(walk, at)
    if depth == 0 and (walk.depth > 0 or not places):
        walk.calls[at] = Call(at, 0, None)
        return
    if not places:
        raise walk.fail("jumps to a place that is not known", at)
    walk.through([(place, state) for place in places])
    if any(walk.seen[place][SP] != state[SP] for place in places):
        raise walk.fail("jumps to a place where the stack pointer stands elsewhere", at)


def _places_within(walk: _Walk, at: int) -> set[int]:
    """Where a computed jump can enter its function: places that it computed from its own, and those of its tables."""
    program, function = walk.program, walk.program.function_at(at)
    if function is None:
        return set()

    def within(place: int) -> bool:
        # What is seldom run may stand elsewhere, as `<name>.cold`.
        there = program.function_at(place)
        return program.is_code(place) and there is not None and there.plain == function.plain and place != there.address

    found = set()
    for number in walk.constants():
        if within(number):
            found.add(number)
            continue
        # Tables have addresses, in Thumb code with or without the lowest bit, or distances from where they begin.
        for place in range(number, number + 4 * LONGEST_TABLE, 4):
            word = program.word(place)
            ends = () if word is None else (word & ~1, number + signed(word) & WORD)
            if not any(map(within, ends)):
                break
            found |= set(filter(within, ends))
    return found


def _joined(one: State, other: State) -> State:
    """What holds on both ways, with the deeper stack."""
    found = {name: value for name, value in one.items() if other.get(name) == value}
    found[SP] = min(one[SP], other[SP], key=lambda value: value.number)
    return found


def known_after(state: State, name: str, value: Value | None) -> State:
    """What is known once a register holds something else.

    Raises:
        UnprovenError: it is the stack pointer, and nothing is known of it.
    """
    if name == SP:
        if value is None:
            raise UnprovenError("moves the stack pointer by what is not known before it runs")
        return {**state, SP: value}
    if value is None:
        if name not in state:
            return state
        return {other: known for other, known in state.items() if other != name}
    return {**state, name: value}


def slot(offset: int) -> str:
    """The word of the stack that stands so many bytes from where the stack pointer stood at first."""
    return f"[{offset}]"


def moved(value: Value | None, by: int) -> Value | None:
    """A value and a number added up."""
    if value is None or value.returns:
        return None
    return Value(value.number + by, of_stack=True) if value.of_stack else Value((value.number + by) & WORD)


def added(one: Value | None, other: Value | None) -> Value | None:
    """Two values added up, as far as that is known."""
    if one is None or other is None or (one.of_stack and other.of_stack):
        return None
    return moved(other, signed(one.number)) if other.of_stack else moved(one, signed(other.number))


def signed(word: int) -> int:
    """A word as a signed number."""
    return (word & WORD) - ((word & 0x80000000) << 1)
