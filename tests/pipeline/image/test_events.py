# SPDX-License-Identifier: Apache-2.0
"""What a firmware says, read."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.image.events import (
    BatteryStep,
    Event,
    GatesCounted,
    ModeCounted,
    SelfTested,
    StackUsed,
    StepCounted,
    SwitchCounted,
    named,
    only,
    read_event,
    run_events,
)
from dimmer.targets import Target, load_target


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ('{"event":"selftest","mode":"88","ok":true}', SelfTested("88", True)),
        ('{"event":"bench","mode":"88","instructions":12}', ModeCounted("88", 12)),
        ('{"event":"bench","mode":"88","instructions":null}', ModeCounted("88", None)),
        ('{"event":"switch","instructions":9}', SwitchCounted(9)),
        ('{"event":"gates","instructions":7}', GatesCounted(7)),
        ('{"event":"stack","bytes":null}', StackUsed(None)),
        ('{"event":"layer","mode":"88","step":3,"instructions":4}', StepCounted("88", 3, 4)),
        (
            '{"event":"battery","time_s":1,"charge_permille":500,"mode":"80","class":-1,"instructions":null}',
            BatteryStep(1, 500, "80", -1, None),
        ),
    ],
)
def test_every_event_has_its_type(line: str, event: Event) -> None:
    assert read_event(line) == event


def saying(*lines: str) -> Target:
    """A target on which every program writes these lines."""
    program = f"for line in {lines!r}: print(line)"
    target = load_target("host")
    return replace(target, runner=replace(target.runner, command=(sys.executable, "-c", program, "{elf}")))


def test_events_come_in_their_order_and_are_picked_by_kind(tmp_path: Path) -> None:
    elf = tmp_path / "firmware.elf"
    elf.touch()
    target = saying('{"event":"stack","bytes":8}', '{"event":"switch","instructions":1}', '{"event":"stack","bytes":9}')
    events = run_events(target, elf, ["bench"], tmp_path)
    assert events == (StackUsed(8), SwitchCounted(1), StackUsed(9))
    assert only(StackUsed, events) == [StackUsed(8), StackUsed(9)]


def test_events_have_the_names_of_files_again() -> None:
    long = "x" * 70
    said = (SelfTested("a_b", True), ModeCounted("x" * 60, 5), StepCounted("88.80", 0, 2), SwitchCounted(1))
    assert named(said, ["a@b", long]) == (
        SelfTested("a@b", True),
        ModeCounted(long, 5),
        StepCounted("88.80", 0, 2),
        SwitchCounted(1),
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Segmentation fault", "Expecting value"),
        ("[1]", "it is none of the events selftest"),
        ('{"event":"lamp"}', "it is none of the events selftest"),
        ('{"event":"stack"}', "bytes is missing"),
        ('{"event":"selftest","mode":"88","ok":1}', "ok is 1, not true or false"),
        ('{"event":"switch","instructions":0}', "it counts 0 instructions, which nothing takes"),
    ],
)
def test_another_line_is_told_in_one_line(tmp_path: Path, line: str, why: str) -> None:
    elf = tmp_path / "firmware.elf"
    elf.touch()
    with pytest.raises(DimmerError, match=r"host: the firmware wrote .*, which is no event .*; report it") as caught:
        run_events(saying(line), elf, ["bench"], tmp_path)
    assert why in str(caught.value)
