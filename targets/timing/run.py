# SPDX-License-Identifier: Apache-2.0
"""A firmware run once, its cycles modelled stretch by stretch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.target import Target, load_target
from dimmer.targets.timing.code import Code, read_code
from dimmer.targets.timing.cycles import Model, Stretch
from dimmer.targets.timing.errors import NotModelledError
from dimmer.targets.timing.tables import TABLES, Table
from dimmer.targets.timing.trace import Block, Cache, trace


def table_of(target: Target) -> Table:
    """The table of the target's core.

    Raises:
        NotModelledError: it has none, or target.toml does not say what the chip adds.
    """
    if target.core not in TABLES:
        known = ", ".join(table.core for table in TABLES.values())
        raise NotModelledError(f"nothing models the cycles of {target.core}: there are tables of {known}")
    if target.timing is None:
        raise NotModelledError(f"targets/{target.name}/target.toml has no [timing]")
    return TABLES[target.core]


def macs_per_cycle(target: Target) -> float | None:
    """8-bit products that the target's core multiplies and adds in a cycle at best; None where it has no table."""
    return TABLES[target.core].macs_per_cycle if target.core in TABLES else None


def guess_of(name: str) -> str:
    """Why the table of a target's core is a guess; empty where it is none.

    Args:
        name: of the target; one that is not here any more has no guess either.
    """
    try:
        core = load_target(name).core
    except TargetError:
        return ""
    return f"{TABLES[core].core}: {TABLES[core].guess}" if core in TABLES and TABLES[core].guess else ""


def disassembled(target: Target, elf: Path) -> Code:
    """The firmware's instructions.

    Raises:
        NotModelledError: the target's toolchain has no disassembler here.
    """
    objcopy = target.toolchain.objcopy
    if objcopy is None:
        raise NotModelledError(f"targets/{target.name}/target.toml names no objcopy, beside which objdump lies")
    return read_code(elf, f"{objcopy.removesuffix('objcopy')}objdump")


def modelled(target: Target, elf: Path, arguments: Sequence[str], cwd: Path) -> tuple[Stretch, ...]:
    """Run a firmware in `cwd` and model the cycles of every stretch between two readings of its counter.

    Raises:
        NotModelledError: they cannot be modelled; the message says why.
    """
    model, stretches = counted(target, elf, arguments, cwd)
    return tuple(model.stretch(blocks) for blocks in stretches)


def counted(
    target: Target, elf: Path, arguments: Sequence[str], cwd: Path
) -> tuple[Model, tuple[tuple[Block, ...], ...]]:
    """As `modelled`: the model, and the blocks of every stretch that it is asked about."""
    table, timing = table_of(target), target.timing
    assert timing is not None
    cache = None
    if timing.wait_states and target.memory is not None:
        cache = Cache(timing.fetch_bytes, timing.cache_lines, target.memory.flash.origin, target.memory.flash.size)
    blocks = trace(target.runner, elf, arguments, cwd, cache)
    return Model(table, timing, disassembled(target, elf)), blocks
