# SPDX-License-Identifier: Apache-2.0
"""What a firmware's modes and steps cost: counted by the target, or by the emulated board that counts for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.image.compiled import Compiled, compile_modes
from dimmer.pipeline.image.cycles import Modelled, model_cycles
from dimmer.pipeline.image.events import Event, StackUsed, named, only, run_events
from dimmer.pipeline.image.order import Order
from dimmer.targets import Target
from dimmer.targets.counter import counter_of

COMMANDS = ("bench", "layers")


@dataclass(frozen=True)
class Costs:
    """What was counted of a firmware.

    Attributes:
        events: of its commands `bench` and `layers`.
        modelled: cycles, where the core does not count them itself.
        counter: name of the target that counted; None where none does, and the counts mean nothing.
    """

    events: tuple[Event, ...]
    modelled: Modelled
    counter: str | None


def costs_of(order: Order, target: Target, full: Compiled, out: Path, progress: Progress) -> Costs:
    """Runs the firmware's commands in the folder `out`, and where another target counts, its firmware's beside it.

    Raises:
        FirmwareGenError, DimmerError, TargetError: as `compile_modes`.
    """
    counter = counter_of(target)
    if counter is None or counter is target:
        events = _said(target, full, out, COMMANDS)
        return Costs(events, model_cycles(target, full.elf, out, events), None if counter is None else target.name)
    stack = only(StackUsed, _said(target, full, out, COMMANDS[:1]))
    progress(f"counting on {counter.name}", 0.35)
    with children.scratch() as work:
        other = compile_modes(order, order.modes, counter, work)
        if other.model.steps != full.model.steps:
            raise DimmerError(f"{counter.name} and {target.name} chose other kernels: report it")
        events = _said(counter, other, work, COMMANDS)
        modelled = model_cycles(counter, other.elf, work, events)
    counted = tuple(event for event in events if not isinstance(event, StackUsed))
    if modelled.modes:
        modelled = replace(modelled, note=f"{modelled.note}; counted on {counter.name}")
    return Costs((*counted, *stack), modelled, counter.name)


def _said(target: Target, full: Compiled, out: Path, commands: tuple[str, ...]) -> tuple[Event, ...]:
    return tuple(
        event
        for command in commands
        for event in named(
            run_events(target, full.elf, [command], out, count=target.counts_instructions), full.model.modes
        )
    )
