# SPDX-License-Identifier: Apache-2.0
"""Whether a firmware fits its target, told before anything is compiled, and what would."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import plan_of
from dimmer.firmware_gen.kernels.code import code_bytes
from dimmer.firmware_gen.variants.frame import Choice
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.image.policy import policy_for
from dimmer.pipeline.image.stack import ALIGNMENT, FLOAT_FRAME
from dimmer.targets import Target, TargetError, load_target, target_names

APPLICATION_CODE, APPLICATION_RAM, TABLE_REST = 6400, 1984, 300
"""Bytes of the application, start-up and C library, counted on Cortex-M and RISC-V; of the model's small tables."""

BOARD_CODE = 2300
"""Bytes that a board's serial line and its set-up take more than an emulated one's semihosting."""

SURE = 0.75
"""Code may be a quarter smaller than it is told to be: what would fit then is compiled, and the linker has the word."""

LEAST_STACK = 1024
"""Bytes of stack under which none is proposed before it is proven; MLPerf Tiny's networks take 700 to 800."""

STEP = 0.8
"""From one limit of scratch that is tried to the next."""

MOST_TARGETS = 3


class DoesNotFitError(DimmerError):
    """A firmware that is larger than its target's memory."""


@dataclass(frozen=True)
class Need:
    """Bytes that a firmware takes.

    Attributes:
        weights, tables: of flash, exactly; tables with the known answers.
        code: of flash, about.
        arena: of RAM, scratch included.
        stack: that the linker script keeps free.
        application: of RAM, beside these.
        instructions: of all layers that have a choice of kernels, as the cost model expects them.
    """

    weights: int
    tables: int
    code: int
    arena: int
    stack: int
    application: int
    instructions: float

    @property
    def beside(self) -> int:
        """Of flash, without the weights, about."""
        return self.tables + self.code

    @property
    def flash(self) -> int:
        """Of flash in all, about."""
        return self.weights + self.beside

    @property
    def ram(self) -> int:
        """Of RAM in all."""
        return self.arena + self.stack + self.application


def need_of(order: Order, target: Target) -> Need:
    """What an order takes on a target, by plan.

    Raises:
        FirmwareGenError: the modes' files.
    """
    gates = order.gates
    policy = policy_for(order.policy, len(order.modes), gates is not None)
    tables, choices = plan_of(order.modes, policy, gates, target.scratch_limit, target.core, latency=target.latency)
    return need(tables, choices, len(order.known_input), target)


def need(tables: Tables, choices: tuple[Choice, ...], input_bytes: int, target: Target) -> Need:
    """What these tables take on a target."""
    weights = len(tables.pool.table("weights"))
    constants = sum(constant.size for constant in tables.pool.constants) - weights
    answers = input_bytes + tables.output.size * len(tables.mode_names)
    kernels = [table.kernel.name for table in tables.records]
    board = target.board is not None
    return Need(
        weights=weights,
        tables=constants + tables.schedule_bytes + answers + TABLE_REST,
        code=code_bytes(kernels, tables.gates is not None) + APPLICATION_CODE + (BOARD_CODE if board else 0),
        arena=tables.memory.arena,
        stack=stack_bytes(target),
        application=APPLICATION_RAM,
        instructions=sum(choice.chosen.instructions for choice in choices),
    )


def stack_bytes(target: Target) -> int:
    """What the target keeps free for the stack; 0 where neither it nor its linker script says."""
    script = target.toolchain.linker_script
    if target.memory is not None and target.memory.stack is not None:
        return target.memory.stack
    found = re.search(r"STACK_SIZE\s*=[^;]*?(\d+)(K?)\s*;", script.read_text(errors="replace")) if script else None
    return int(found[1]) * (1024 if found[2] else 1) if found else 0


def check_fit(order: Order, target: Target, prove: Callable[[], int | None] = lambda: None) -> Need:
    """What an order takes on a target; what cannot fit is refused, before it is compiled.

    Args:
        prove: gives bytes of stack that the firmware is proven to need, None where nothing is proven; asked where it
            depends on the stack whether it fits.

    Raises:
        DoesNotFitError: flash or RAM are too small; it says by how much, and what fits.
        FirmwareGenError: the modes' files.
    """
    found = need_of(order, target)
    if target.memory is None:
        return found
    least = found.beside - round((1 - SURE) * found.code)
    memory, rest = target.memory, found.ram - found.arena
    if memory.lacks_flash(found.weights, least) or memory.lacks(found.arena, rest):
        depends = memory.lacks(found.arena, rest - found.stack) == 0 < memory.lacks(found.arena, rest)
        raise DoesNotFitError(explain(order, target, found, proven=prove() if depends else None))
    return found


def check_stack(order: Order, target: Target, proven: int) -> None:
    """Refuses a firmware that is proven to take more stack than is kept free for it.

    Raises:
        DoesNotFitError: it says what is needed and there, and what fits.
    """
    kept = stack_bytes(target)
    if 0 < kept < proven:
        raise DoesNotFitError(
            f"{order.name} does not fit {target.name}: stack: {proven:,} bytes needed by the call graph, {kept:,} kept "
            f"free, {proven - kept:,} too few; what fits: {_with_stack(proven)}"
        )


def least_stack(proven: int) -> int:
    """Bytes to keep free for a stack of which so many are proven to be needed: with room for an exception."""
    return -(-(proven + FLOAT_FRAME + ALIGNMENT) // 64) * 64


def _with_stack(proven: int) -> str:
    return f"stack = {least_stack(proven)} under [memory] in target.toml"


def explain(
    order: Order,
    target: Target,
    found: Need,
    overflow: Mapping[str, int | None] | None = None,
    proven: int | None = None,
) -> str:
    """The line: what is needed and there, by how much it misses, and what fits.

    Args:
        overflow: what the linker said: region -> bytes too many, None where it did not tell.
        proven: bytes of stack that are proven to be needed; None where that is not known.
    """
    assert target.memory is not None
    told = overflow or {}
    memory = target.memory
    ram = memory.ram.size + (memory.arena.size if memory.arena is not None else 0)
    parts = []
    lacks = memory.lacks_flash(found.weights, found.beside)
    linker = told.get("flash") or told.get("weights")
    over = linker or lacks
    if over > 0 and ("flash" in told or "weights" in told or not told):
        exact = "" if linker else "about "
        takes, there = f"{exact}{memory.flash.size + over:,}", f"{memory.flash.size:,} there"
        if memory.weights is not None:
            # What one region lacks says nothing of the other.
            takes = f"about {found.flash:,}"
            there = f"{memory.kept:,} there, {memory.weights.size:,} of them for weights alone"
        parts.append(
            f"flash: {takes} bytes needed (weights {found.weights:,}, tables {found.tables:,}, "
            f"code about {found.code:,}), {there}, {exact}{over:,} too many"
        )
    over = told.get("ram") or told.get("arena") or memory.lacks(found.arena, found.ram - found.arena)
    if over > 0 and ("ram" in told or "arena" in told or not told):
        used = "" if proven is None else f" of which {proven:,} are used by the call graph"
        needed = ram + over if memory.arena is None else found.ram
        parts.append(
            f"RAM: {needed:,} bytes needed (arena {found.arena:,}, stack {found.stack:,}{used}, application "
            f"{found.application:,}), {ram:,} there, {over:,} too many"
        )
    ways = list(_ways(order, target, found))
    if proven is not None and _holds(target, replace(found, stack=least_stack(proven))):
        ways.insert(0, _with_stack(proven))
    fits = f"what fits: {'; '.join(ways)}" if ways else "nothing known fits: take a smaller network or a larger target"
    return f"{order.name} does not fit {target.name}: {'; '.join(parts) or 'the linker finds no room'}; {fits}"


def _ways(order: Order, target: Target, found: Need) -> Iterator[str]:
    """What would fit, with its cost."""
    limit = fitting_limit(order, target)
    if limit is not None:
        lean = need_of(order, replace(target, scratch_limit=limit))
        more = lean.instructions - found.instructions
        cost = f", about {more:,.0f} instructions more" if more > 0 else ""
        yield f"--scratch-limit {limit} (arena {lean.arena:,}{cost})"
    if len(order.modes) > 1 and (few := _fewer_modes(order, target)):
        kept, lean = few
        gone = ", ".join(mode.name for mode in order.modes if mode.name not in kept)
        accuracy = _accuracy(order, kept)
        yield f"only {', '.join(kept)}, without {gone} (flash about {lean.flash:,}, arena {lean.arena:,}{accuracy})"
    others = list(_other_targets(order, target))
    if others:
        yield f"--target {' or '.join(others)}"


def _accuracy(order: Order, kept: Sequence[str]) -> str:
    """What some modes alone cost in accuracy; nothing where that is not known."""
    if any(mode.name not in order.accuracy for mode in order.modes):
        return ""
    best, rest = max(order.accuracy.values()), max(order.accuracy[name] for name in kept)
    change = f"stays {best:.2%}" if rest == best else f"{rest:.2%} instead of {best:.2%}"
    return f", best accuracy on validation images {change}"


def fits(order: Order, target: Target) -> bool:
    """Whether it would fit, by plan; what cannot be planned does not."""
    found = _planned(order, target)
    return found is not None and _holds(target, found)


def verdict(order: Order, target: Target) -> str:
    """Whether an order fits a target, in few words: how much is too many, and with what limit of scratch, with what
    stack or with which of its modes it would.
    """
    if target.engine != "tables":
        return "-"
    try:
        found = need_of(order, target)
    except FirmwareGenError as error:
        return f"no: {error}"
    memory = target.memory
    if _holds(target, found) or memory is None:
        return "yes"
    lacks = memory.lacks_flash(found.weights, found.beside)
    over = {"flash": lacks, "RAM": memory.lacks(found.arena, found.ram - found.arena)}
    said = ", ".join(f"{count:,} bytes of {kind} too few" for kind, count in over.items() if count > 0)
    ways = []
    if (limit := fitting_limit(order, target)) is not None:
        ways.append(f"--scratch-limit {limit}")
    # Before it is compiled nobody knows what stack it takes; with less than this nothing did.
    if over["flash"] <= 0 and (stack := (found.stack - over["RAM"]) & -8) >= LEAST_STACK:
        ways.append(f"stack = {stack} under [memory], if that is proven to be enough")
    if not ways and len(order.modes) > 1 and (few := _fewer_modes(order, target)):
        ways.append(f"{', '.join(few[0])} alone")
    return f"no: {said}" + (f"; yes with {' or '.join(ways)}" if ways else "")


def fitting_limit(order: Order, target: Target) -> int | None:
    """The largest limit of scratch under the target's with which it fits, in steps of a fifth; None if none is.

    All are tried: with less scratch other kernels run, which may need a larger arena.
    """
    limit = int(target.scratch_limit * STEP)
    while limit > 0:
        found = _planned(order, replace(target, scratch_limit=limit))
        if found is None:
            # With so little a step has no kernel at all.
            return None
        if _holds(target, found):
            return limit
        limit = int(limit * STEP)
    return None


def _planned(order: Order, target: Target) -> Need | None:
    try:
        return need_of(order, target)
    except FirmwareGenError:
        return None


def _holds(target: Target, found: Need | None) -> bool:
    memory = target.memory
    if found is None or memory is None:
        return found is not None
    lacks = memory.lacks_flash(found.weights, found.beside)
    return lacks == 0 == memory.lacks(found.arena, found.ram - found.arena)


def _fewer_modes(order: Order, target: Target) -> tuple[tuple[str, ...], Need] | None:
    """As many of the dearest modes as fit, at least one; else as many of the cheapest. Gates need them all."""
    if order.gates is not None:
        return None
    count = len(order.modes)
    for modes in (*(order.modes[:n] for n in range(count - 1, 0, -1)), *(order.modes[n:] for n in range(1, count))):
        fewer = replace(order, modes=modes)
        if fits(fewer, target):
            return tuple(mode.name for mode in modes), need_of(fewer, target)
    return None


def _other_targets(order: Order, target: Target) -> Iterator[str]:
    """Targets with another memory that hold it."""
    told = 0
    for name in target_names():
        try:
            other = load_target(name)
        except TargetError:
            # A user's own, which is broken: that is told when he names it.
            continue
        if other.engine != target.engine or other.memory is None or other.core != target.core or name == target.name:
            continue
        if fits(order, other):
            told += 1
            yield name
        if told == MOST_TARGETS:
            return
