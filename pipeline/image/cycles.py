# SPDX-License-Identifier: Apache-2.0
"""Clock cycles of a firmware's modes and steps, modelled where its core does not count them itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer.pipeline.artifacts.cycles import MODEL_ERROR
from dimmer.pipeline.image.events import Event, ModeCounted, StepCounted, only
from dimmer.targets import Target
from dimmer.targets.timing.cycles import Stretch
from dimmer.targets.timing.errors import NotModelledError
from dimmer.targets.timing.run import modelled, table_of

# The emulator's own count starts and stops within the function that reads the counter.
_APART = 4


@dataclass(frozen=True)
class Modelled:
    """Cycles as a model of the core's timing has them.

    Attributes:
        modes: of one inference, in the order of the firmware's events; empty where they are not modelled.
        steps: of each step, as above.
        spent: of each step: group of instructions -> its cycles.
        note: how they were come by, or why there are none.
    """

    modes: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    spent: tuple[Mapping[str, int], ...] = ()
    note: str = "neither measured nor modelled"


def model_cycles(target: Target, elf: Path, out: Path, events: Sequence[Event]) -> Modelled:
    """Runs the commands `bench` and `layers` once more, where the core did not count its cycles itself.

    Args:
        out: the folder in which the firmware ran.
        events: of these commands.
    """
    modes, steps = only(ModeCounted, events), only(StepCounted, events)
    if modes and all(event.cycles is not None for event in modes):
        return Modelled(note="measured by the core's own counter, on its RTL")
    try:
        table = table_of(target)
        of_modes = _of_modes(target, elf, out, modes)
        of_steps = _checked(steps, modelled(target, elf, ["layers"], out))
    except NotModelledError as error:
        return Modelled(note=str(error))
    timing = target.timing
    assert timing is not None
    chip = f"{timing.wait_states} wait states, {timing.branch_refill} cycles to refill the pipeline"
    note = f"modelled: blocks that ran, timed by the manual of {table.core}, {chip}; {MODEL_ERROR} (docs/cycles.md)"
    if table.guess:
        note = f"{note}; {table.guess}"
    return Modelled(_cycles(of_modes), _cycles(of_steps), tuple(stretch.spent for stretch in of_steps), note)


def cycles_of_modes(target: Target, elf: Path, out: Path, events: Sequence[Event]) -> dict[str, int]:
    """Mode -> cycles of one inference, measured or modelled; empty where there are none of some mode.

    Args:
        events: of the command `bench`.
    """
    modes = only(ModeCounted, events)
    measured = {event.mode: event.cycles for event in modes if event.cycles is not None}
    if len(measured) == len(modes):
        return measured
    try:
        stretches = _of_modes(target, elf, out, modes)
    except NotModelledError:
        return {}
    return {event.mode: stretch.cycles for event, stretch in zip(modes, stretches, strict=True)}


def _of_modes(target: Target, elf: Path, out: Path, modes: Sequence[ModeCounted]) -> Sequence[Stretch]:
    # Behind the modes `bench` counts switches and gates.
    return _checked(modes, modelled(target, elf, ["bench"], out)[: len(modes)])


def _cycles(stretches: Sequence[Stretch]) -> tuple[int, ...]:
    return tuple(stretch.cycles for stretch in stretches)


def _checked(events: Sequence[ModeCounted | StepCounted], stretches: Sequence[Stretch]) -> Sequence[Stretch]:
    """The stretches, if they are the events'.

    Raises:
        NotModelledError: they are not, as the instructions show, which are counted both ways.
    """
    if len(events) != len(stretches):
        raise NotModelledError(f"the firmware read its counter around {len(stretches)} stretches, not {len(events)}")
    for event, stretch in zip(events, stretches, strict=True):
        if event.instructions is not None and abs(event.instructions - stretch.instructions) > _APART:
            counts = f"{event.instructions:,} and {stretch.instructions:,}"
            raise NotModelledError(f"the emulator's two ways of counting instructions disagree: {counts}")
    return stretches
