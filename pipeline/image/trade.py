# SPDX-License-Identifier: Apache-2.0
"""Firmwares at several limits of scratch, counted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import tables_of
from dimmer.pipeline.artifacts.cycles import Cycles
from dimmer.pipeline.artifacts.firmware import Firmware
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.image.fit import APPLICATION_CODE, STEP, DoesNotFitError, need_of
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import Order
from dimmer.targets import Target
from dimmer.targets.counter import counter_of, uncounted

LARGEST = 1 << 16


@dataclass(frozen=True)
class Trade:
    """One limit and what it leads to.

    Attributes:
        scratch_limit, arena: bytes.
        stack: bytes; of what does not fit, those that the linker script keeps free.
        code: bytes of runtime and kernels; about, of what does not fit.
        instructions: of one inference in each mode; empty where it does not fit.
        cycles: the same, with where they come from; empty where they are neither measured nor modelled.
    """

    scratch_limit: int
    arena: int
    stack: int
    code: int
    instructions: tuple[int, ...]
    cycles: tuple[Cycles, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the target holds it."""
        return bool(self.instructions)


def limits(order: Order, target: Target) -> tuple[int, ...]:
    """Limits with arenas that differ, falling: of those with the same arena the largest, as far down as the planner
    finds kernels.
    """
    found: dict[int, int] = {}
    limit = LARGEST
    while limit >= 1:
        try:
            tables = tables_of(order.modes, PolicyConfig(), order.gates, limit, target.core, target.latency)
        except FirmwareGenError:
            break
        found.setdefault(tables.memory.arena, limit)
        limit = int(limit * STEP)
    return tuple(sorted(found.values(), reverse=True))


def trades(order: Order, target: Target, progress: Progress) -> tuple[Trade, ...]:
    """Every limit, counted where it fits; without those that another one beats in both arena and the top mode's
    instructions.

    Raises:
        DimmerError: nobody counts for the target.
        FirmwareGenError, TargetError: as `pipeline.firmware`.
    """
    if counter_of(target) is None:
        raise DimmerError(f"{uncounted(target)}: name a target that counts")
    tried = limits(order, target)
    found = []
    for done, limit in enumerate(tried):
        progress(f"scratch limit {limit:,}", done / len(tried))
        limited = replace(target, scratch_limit=limit)
        try:
            with children.scratch() as work:
                figures = make(order, limited, work, lambda _text, _share: None)
        except DoesNotFitError:
            need = need_of(order, limited)
            found.append(Trade(limit, need.arena, need.stack, need.code - APPLICATION_CODE, ()))
        else:
            found.append(_trade(limit, figures))
    return tuple(
        trade
        for trade in found
        if not trade.fits
        or not any(
            other.arena <= trade.arena and other.instructions[0] <= trade.instructions[0] and other != trade
            for other in found
            if other.fits
        )
    )


def _trade(limit: int, figures: Firmware) -> Trade:
    counts = tuple(mode.instructions for mode in figures.modes if mode.instructions is not None)
    stack = figures.ram.stack
    if stack is None or len(counts) < len(figures.modes):
        raise DimmerError(f"{figures.target} told no counts: name another target, and report it")
    cycles = tuple(Cycles(mode.cycles, mode.cycles_source) for mode in figures.modes if mode.cycles is not None)
    return Trade(limit, figures.ram.arena, stack, figures.flash.runtime_code, counts, cycles)
