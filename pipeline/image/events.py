# SPDX-License-Identifier: Apache-2.0
"""What a firmware says of itself: one JSON object a line, each an event (targets/app/main.c)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.text import name_in_c
from dimmer.pipeline.core.documents import DocumentError, from_json
from dimmer.targets import Target

E = TypeVar("E")


@dataclass(frozen=True)
class SelfTested:
    """Whether a mode gives its known answer.

    Attributes:
        cycles: clock cycles of an inference, of a board that counts them; None where it does not.
        microseconds: the same at its clock.
        stack: bytes of stack that were in use so far.
    """

    mode: str
    ok: bool
    cycles: int | None = None
    microseconds: int | None = None
    stack: int | None = None


@dataclass(frozen=True)
class FlashSummed:
    """The CRC-32 of some bytes of a board's flash."""

    crc: int


@dataclass(frozen=True)
class ModeCounted:
    """Instructions of one inference; counts are None where the target has no counter.

    Attributes:
        cycles: clock cycles, where the core itself counts them, as one that is simulated from its RTL does.
    """

    mode: str
    instructions: int | None
    cycles: int | None = None


@dataclass(frozen=True)
class SwitchCounted:
    """Instructions of a change of mode."""

    instructions: int | None


@dataclass(frozen=True)
class GatesCounted:
    """Instructions of all gates in one inference."""

    instructions: int | None


@dataclass(frozen=True)
class StackUsed:
    """Bytes of stack that were written; None where it cannot be painted."""

    bytes: int | None


@dataclass(frozen=True)
class StepCounted:
    """Instructions of one entry of the table of steps.

    Attributes:
        step: index into the table.
        cycles: as of a mode.
    """

    mode: str
    step: int
    instructions: int | None
    cycles: int | None = None


@dataclass(frozen=True)
class BatteryStep:
    """One inference under a battery.

    Attributes:
        time_s: of the battery's curve.
        predicted: the class.
    """

    time_s: int
    charge_permille: int
    mode: str
    predicted: int
    instructions: int | None


OfMode = SelfTested | ModeCounted | StepCounted | BatteryStep
Event = OfMode | FlashSummed | SwitchCounted | GatesCounted | StackUsed

_EVENTS: dict[str, type[Event]] = {
    "selftest": SelfTested,
    "flash": FlashSummed,
    "bench": ModeCounted,
    "switch": SwitchCounted,
    "gates": GatesCounted,
    "stack": StackUsed,
    "layer": StepCounted,
    "battery": BatteryStep,
}


def read_event(line: str) -> Event:
    """One line.

    Raises:
        ValueError: it is no JSON, no event that is known, or a count of nothing.
    """
    table = json.loads(line)
    kind = table.get("event") if isinstance(table, dict) else None
    if kind not in _EVENTS:
        raise DocumentError(f"it is none of the events {', '.join(_EVENTS)}")
    if "class" in table:
        table["predicted"] = table["class"]
    event = from_json(_EVENTS[kind], table)
    if isinstance(event, ModeCounted | SwitchCounted | GatesCounted) and event.instructions is not None:
        check_count(event.instructions)
    if isinstance(event, SelfTested | ModeCounted | StepCounted) and event.cycles is not None:
        check_count(event.cycles, "cycles")
    return event


def check_count(count: int, unit: str = "instructions") -> None:
    """Nothing takes no instructions; the energy would be nothing, and the battery would last for ever.

    Raises:
        DocumentError: there are none.
    """
    if count < 1:
        raise DocumentError(f"it counts {count} {unit}, which nothing takes")


def run_events(
    target: Target, elf: Path, arguments: Sequence[str], cwd: Path, count: bool = False
) -> tuple[Event, ...]:
    """Run a firmware and read what it says.

    Args:
        count: as `Target.run`.

    Raises:
        TargetError: the firmware or its runner failed.
        DimmerError: a line is no event.
    """
    events = []
    for line in target.run(elf, arguments, cwd, count=count).stdout.splitlines():
        try:
            events.append(read_event(line))
        except ValueError as error:
            raise DimmerError(
                f"{target.name}: the firmware wrote {line[:80]!r}, which is no event ({error}); report it"
            ) from error
    return tuple(events)


def named(events: Iterable[Event], modes: Iterable[str]) -> tuple[Event, ...]:
    """Events with the names that the modes' files gave them: a firmware has these as C text.

    Example:
        >>> named([ModeCounted("net_2_x", 9)], ["net@2=x"])
        (ModeCounted(mode='net@2=x', instructions=9, cycles=None),)
    """
    names = {name_in_c(mode): mode for mode in modes}
    return tuple(
        replace(event, mode=names.get(event.mode, event.mode)) if isinstance(event, OfMode) else event
        for event in events
    )


def only(kind: type[E], events: Iterable[Event]) -> list[E]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]
