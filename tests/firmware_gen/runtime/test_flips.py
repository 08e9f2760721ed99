# SPDX-License-Identifier: Apache-2.0
"""Single bits that flip in a model's flash, on a Cortex-M4 in unicorn: each is noticed or harmless, none is followed.

The bar, ten thousand of each kind: pytest -m slow tests/firmware_gen/runtime/test_flips.py
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.plan import PlanConfig, Point
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import sources
from tests.firmware_gen.gated import random_gates
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.runtime.core32 import RAM, RAM_SIZE, Core, FaultError, linked

SLICE = 1024
MOST_SLICE = 20_000
FLIPS, PARTS = 2500, 4

pytestmark = pytest.mark.board("netduinoplus2")


@dataclass
class Flashed:
    """A model with gates and a plan in flash, what it answers, and the state after dimmer_init."""

    core: Core
    places: list[int]
    answers: bytes
    started: bytes

    def outputs(self) -> bytes:
        address, size = self.core.symbols["outputs"]
        return self.core.read(address, size)


@pytest.fixture(scope="module")
def flashed(tmp_path_factory: pytest.TempPathFactory) -> Flashed:
    folder = tmp_path_factory.mktemp("flips")
    plan = PlanConfig((Point(100, 2), Point(200, 0)), 1000, 4, 256, 1000, 60, life_s=86_400, harvest_q8=16)
    policy = replace(even_policy(3), plan=plan)
    model = generate(write_modes(folder), folder / "out", policy, name="flips", gates=random_gates(1), core="cortex-m4")
    program = Path(__file__).with_name("flips_program.c")
    core = Core(linked(folder, [program, *model.sources, *sources(model.kernels)], [folder / "out"]))
    tables = {
        name: range(address, address + size)
        for name, (address, size) in core.symbols.items()
        if size and (name.startswith("dimmer_flips") or name == "dimmer_gate_calls")
    }
    # A compiler that made one table of two that are the same would leave none to compare with.
    for name in ("kernels", "modes"):
        assert tables[f"dimmer_flips_{name}"].start != tables[f"dimmer_flips_{name}_again"].start
    assert core.call("start") == 0
    started = core.read(RAM, RAM_SIZE)
    assert core.call("answer") == 0
    found = Flashed(core, sorted(place for table in tables.values() for place in table), b"", started)
    return replace(found, answers=found.outputs())


def after_init(flashed: Flashed) -> str:
    """A flip that is there when the device starts."""
    core = flashed.core
    core.fresh_ram()
    if core.call("start") != 0:
        return "refused"
    if core.call("answer") != 0:
        return "refused later"
    return "harmless" if flashed.outputs() == flashed.answers else "WRONG"


def in_slices(flashed: Flashed) -> str:
    """A flip while the device runs: the next whole pass of dimmer_check finds it, and no call after it runs."""
    core = flashed.core
    core.write(RAM, flashed.started)
    while core.call("passes") < 1:
        if core.call("slice", SLICE) != 0:
            return "found" if core.call("answer") != 0 else "RUNS ON"
    return "harmless" if core.call("answer") == 0 and flashed.outputs() == flashed.answers else "WRONG"


def at_once(flashed: Flashed) -> str:
    """A flip while the device runs, without a check: weights and records may be wrong, pointers are not followed."""
    core = flashed.core
    core.write(RAM, flashed.started)
    if core.call("answer") != 0:
        return "found"
    return "harmless" if flashed.outputs() == flashed.answers else "wrong until the next check"


def flips(flashed: Flashed, count: int, seed: int) -> dict[str, Counter[str]]:
    draw = random.Random(seed)
    found: dict[str, Counter[str]] = {way.__name__: Counter() for way in (after_init, in_slices)}
    for _ in range(count):
        place, bit = draw.choice(flashed.places), draw.randrange(8)
        flashed.core.flip(place, bit)
        for way in (after_init, in_slices):
            try:
                what = way(flashed)
            except FaultError as fault:
                what = f"FAULT {fault}"
            found[way.__name__][what] += 1
        flashed.core.flip(place, bit)
    return found


def fine(found: dict[str, Counter[str]]) -> bool:
    return all(what in ("refused", "refused later", "found", "harmless") for each in found.values() for what in each)


def test_some_flips(flashed: Flashed) -> None:
    found = flips(flashed, 24, 1)
    assert fine(found), found
    assert found["after_init"]["refused"] > 18


def test_no_flip_of_the_struct_or_a_pointer_is_followed(flashed: Flashed) -> None:
    """Not even by the inference that comes before the next check."""
    core = flashed.core
    draw = random.Random(2)
    names = ("", "_kernels", "_kernels_again", "_schedules", "_blocks", "_steps")
    symbols = [core.symbols[f"dimmer_flips{name}"] for name in names] + [core.symbols["dimmer_gate_calls"]]
    for address, size in symbols:
        for _ in range(4):
            place, bit = address + draw.randrange(size), draw.randrange(8)
            core.flip(place, bit)
            at_once(flashed)
            core.flip(place, bit)


def test_a_slice_takes_few_instructions(flashed: Flashed) -> None:
    core = flashed.core
    core.write(RAM, flashed.started)
    taken = []
    while core.call("passes") < 1:
        taken.append(core.instructions("slice", SLICE))
    print(f"{len(taken)} slices of {SLICE} bytes, {min(taken):,} to {max(taken):,} instructions")
    assert 0 < max(taken) <= MOST_SLICE


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 10 + PARTS))
def test_ten_thousand_flips(flashed: Flashed, seed: int) -> None:
    found = flips(flashed, FLIPS, seed)
    print({name: dict(each) for name, each in found.items()})
    assert fine(found), found
