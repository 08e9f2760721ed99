# SPDX-License-Identifier: Apache-2.0
"""The stack of every entry point of the library and of the whole firmware, proven from the linked program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.emit.stack import StackFigure, StackFigures, emit_stack_header
from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.kernels.pointers import HOOK, MODEL_KERNELS, POINTERS, PointerCalls
from dimmer.firmware_gen.library import entry_points, sources
from dimmer.pipeline.artifacts.firmware import Firmware, FirmwareStack, StackDepth
from dimmer.pipeline.core.targets import compiler_version
from dimmer.targets import APPLICATION as MAIN
from dimmer.targets import Target, TargetError
from dimmer.targets.kit.toolchain import ENTRIES, objdump_of
from dimmer.targets.stack.program import ARM, Program, Symbol, UnprovenError
from dimmer.targets.stack.proof import Prover

APPLICATION = PointerCalls(
    "main.c",
    ("main", "verify", "bench", "ticks_of_switches", "layers"),
    (MODEL_KERNELS, "dimmer_set_mode", "verify_records", "gated_records"),
)
"""As POINTERS, of the program that verifies and measures."""

APPLICATION_HOOK = "follow_plan"
"""What that program gives to `dimmer_on_block`."""

OURS = frozenset({path.name for path in sources()} | {path.name for path in MAIN})
"""C files whose pointers POINTERS and APPLICATION know."""

ENTRY_BYTES = 12
"""Of an entry of the generated table of kernels, which begins with the function (`dimmer_kernel_t`)."""

BASIC_FRAME, FLOAT_FRAME, ALIGNMENT = 32, 104, 4
"""Bytes that a Cortex-M core pushes where an exception begins: without and with the FPU's registers, and up to a
multiple of 8 (Armv7-M Architecture Reference Manual, B1.5.7)."""


@dataclass(frozen=True)
class Proven:
    """The stack of a firmware.

    Attributes:
        figures: as `firmware.json` has them.
        notes: place of a null in `firmware.json` -> why it is one.
    """

    figures: FirmwareStack
    notes: Mapping[str, str]


@dataclass(frozen=True)
class _Pointers:
    """Who a call through a pointer can reach.

    Attributes:
        symbol: the C name of the model.
        hook: the application's own; empty for none.
    """

    program: Program
    symbol: str
    hook: str = ""

    def resolve(self, address: int) -> tuple[int, ...]:
        """The functions that the call at a place can be.

        Raises:
            UnprovenError: no line of POINTERS has it.
        """
        caller = self.program.function_at(address)
        lines = [line for line in (*POINTERS, APPLICATION) if caller is not None and _is_of(caller, line)]
        if not lines:
            raise UnprovenError(f"{self.program.name_of(address)} calls through a pointer, and nothing says whom")
        return tuple(function.address for line in lines for function in self.targets(line))

    def targets(self, line: PointerCalls) -> Iterator[Symbol]:
        """The functions of a line that are in the program."""
        for name in line.targets:
            if name == MODEL_KERNELS:
                yield from kernels_of(self.program, self.symbol)
            elif name != HOOK:
                yield from self.program.named(name)
            elif self.hook:
                yield from self.program.named(self.hook)


def _is_of(caller: Symbol, line: PointerCalls) -> bool:
    return caller.plain in line.callers and caller.file in (line.file, "")


def kernels_of(program: Program, symbol: str) -> tuple[Symbol, ...]:
    """The kernels in a model's own table, in its order.

    Args:
        symbol: the C name of the model.

    Raises:
        UnprovenError: the table is not there, or does not hold functions.
    """
    table = program.object_named(f"{symbol}_kernels")
    if table is None:
        raise UnprovenError(f"{symbol} has no table of kernels in the program")
    words = [program.word(table.address + offset) for offset in range(0, table.size - ENTRY_BYTES + 1, ENTRY_BYTES)]
    found = [program.function_of(word) if word else None for word in words]
    if not all(found):
        raise UnprovenError(f"{table.name} has an entry that is no function")
    return tuple(function for function in found if function is not None)


def prove(target: Target, folder: Path, symbol: str) -> Proven:
    """Proves the stack of the firmware that `Target.compile` left in a folder.

    Args:
        symbol: the C name of the model.
    """
    elf = folder / ENTRIES
    if target.memory is None:
        return unproven(f"{target.name} is no bare board: what its operating system keeps for the stack is enough")
    try:
        return _proven(Program.read(elf, objdump_of(target.toolchain)), symbol)
    except TargetError as error:
        return unproven(str(error))


def unproven(why: str) -> Proven:
    """Nothing is proven, and why."""
    figures = FirmwareStack(proven=None, before_hook=None, exception_frame=None, entries=(), kernels=())
    return Proven(figures, dict.fromkeys(("stack.proven", "stack.before_hook", "stack.exception_frame"), why))


def _proven(program: Program, symbol: str) -> Proven:
    notes: dict[str, str] = {}
    bare = Prover(program, _Pointers(program, symbol).resolve)
    hooked = Prover(program, _Pointers(program, symbol, APPLICATION_HOOK).resolve)
    try:
        kernels = [function.name for function in kernels_of(program, symbol)]
        whole = hooked.depth(program.entry).bytes
    except UnprovenError as error:
        kernels, whole, notes["stack.proven"] = [], None, str(error)
    entries = _depths(bare, entry_points(), "entries", notes)
    named = _depths(bare, kernels, "kernels", notes)
    if taken := _unlisted(program, symbol):
        return unproven(f"the address of {taken} is taken, and nothing says who calls it")
    before = None
    try:
        invoke = program.named("dimmer_invoke")[0]
        before = max((call.depth for call in bare.frame(invoke.address).calls if call.target is None), default=0)
    except (IndexError, UnprovenError):
        notes["stack.before_hook"] = "dimmer_invoke is not proven"
    return Proven(FirmwareStack(whole, before, exception_frame(program), entries, named), notes)


def write_header(figures: Firmware, target: Target, folder: Path) -> None:
    """Writes `dimmer_<model>_stack.h` into a firmware's folder; nothing where nothing is proven of its functions."""
    stack = figures.stack
    if not stack.entries:
        return
    why = {place: note for place, note in figures.notes.items() if place.startswith("stack.entries[")}
    entries = [
        StackFigure(entry.name, entry.bytes, why.get(f"stack.entries[{at}].bytes", ""))
        for at, entry in enumerate(stack.entries)
    ]
    flags = wrap(" ".join(target.toolchain.flags), 60)
    linked = (f"{target.name}, core {target.core}", compiler_version(target), *flags)
    names = names_of(figures.model)
    found = StackFigures(linked, entries, stack.before_hook, stack.exception_frame, figures.ram.stack)
    write_atomically(folder / names.stack_header, emit_stack_header(names, found))


def exception_frame(program: Program) -> int:
    """Most bytes that the core pushes where an exception begins, which no figure here holds; on RISC-V handlers do."""
    if program.machine != ARM:
        return 0
    return (FLOAT_FRAME if program.floats else BASIC_FRAME) + ALIGNMENT


def _depths(prover: Prover, names: Iterable[str], place: str, notes: dict[str, str]) -> tuple[StackDepth, ...]:
    found: list[StackDepth] = []
    for name in names:
        function = next((f for f in prover.program.named(name) if f.name == name), None)
        try:
            if function is None:
                raise UnprovenError(f"{name} is no function of its own in the program")
            depth = prover.depth(function.address)
            found.append(StackDepth(name, depth.bytes, depth.path))
        except UnprovenError as error:
            notes[f"stack.{place}[{len(found)}].bytes"] = str(error)
            found.append(StackDepth(name, None, ()))
    return tuple(found)


def _unlisted(program: Program, symbol: str) -> str:
    """A function of the library or the application that somebody holds a pointer to, and no line names."""
    if program.pointers is None:
        raise UnprovenError("the program was linked without its relocations: who holds a pointer is not known")
    known = {name for line in (*POINTERS, APPLICATION) for name in line.targets} | {APPLICATION_HOOK}
    known |= {function.name for function in kernels_of(program, symbol)}
    for _, function in program.pointers:
        ours = function.file in OURS or (not function.file and function.name.startswith("dimmer_"))
        if ours and function.plain not in known:
            return function.name
    return ""
