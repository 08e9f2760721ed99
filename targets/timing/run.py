# SPDX-License-Identifier: Apache-2.0
"""A firmware run once, its cycles modelled stretch by stretch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dimmer.targets.target import Target
from dimmer.targets.timing.code import Code, read_code
from dimmer.targets.timing.cycles import Model, Stretch
from dimmer.targets.timing.errors import NotModelledError
from dimmer.targets.timing.tables import TABLES, Table
from dimmer.targets.timing.trace import Cache, trace


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
    table, timing = table_of(target), target.timing
    assert timing is not None
    cache = None
    if timing.wait_states and target.memory is not None:
        cache = Cache(timing.fetch_bytes, timing.cache_lines, target.memory.flash.origin, target.memory.flash.size)
    blocks = trace(target.runner, elf, arguments, cwd, cache)
    model = Model(table, timing, disassembled(target, elf))
    return tuple(model.stretch(stretch) for stretch in blocks)
