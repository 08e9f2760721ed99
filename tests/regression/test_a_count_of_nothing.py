# SPDX-License-Identifier: Apache-2.0
"""A count of 0 instructions became "0.0 uJ, 66,000 h"; a figure that was null without a note a traceback."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.pipeline.artifacts.firmware import Firmware, FirmwareMode, Step
from dimmer.pipeline.energy.discharge import policy_of_report
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.events import Event, ModeCounted, StackUsed, SwitchCounted, read_event
from dimmer.pipeline.image.figures import Judged, Ran, figures_of
from dimmer.targets import load_target
from tests.pipeline.artifact_examples import firmware
from tests.pipeline.image.orders import modes_order


@pytest.mark.parametrize("count", [0, -1])
@pytest.mark.parametrize("event", ['{"event":"bench","mode":"88",', '{"event":"switch",', '{"event":"gates",'])
def test_a_firmware_that_counts_nothing_is_refused(event: str, count: int) -> None:
    with pytest.raises(ValueError, match=f"it counts {count} instructions, which nothing takes"):
        read_event(f'{event}"instructions":{count}}}')


@pytest.mark.parametrize("event", ['"bench","mode":"88"', '"layer","mode":"88","step":0'])
def test_a_firmware_that_takes_no_cycles_is_refused(event: str) -> None:
    with pytest.raises(ValueError, match="it counts 0 cycles, which nothing takes"):
        read_event(f'{{"event":{event},"instructions":5,"cycles":0}}')


def test_cycles_of_nothing_or_from_nowhere_are_refused() -> None:
    with pytest.raises(ValueError, match="mode 88 takes 0 cycles"):
        FirmwareMode("88", 1, 5, None, 0, "model")
    with pytest.raises(ValueError, match="layer stem has cycles 7 from None: one of the two is missing"):
        Step("88", "stem", "dimmer_conv2d_s8", 1, 5, 7)
    with pytest.raises(ValueError, match="mode 88 has cycles None from rtl"):
        FirmwareMode("88", 1, 5, None, None, "rtl")


def test_a_record_that_counts_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mode 88 takes 0 instructions"):
        FirmwareMode("88", 1, 0, None)
    firmware().save(tmp_path)
    file = tmp_path / "firmware.json"
    document = json.loads(file.read_text())
    document["modes"][0]["instructions"] = 0
    file.write_text(json.dumps(document))
    with pytest.raises(DimmerError, match=r"firmware\.json cannot be read \(mode .* takes 0 instructions"):
        Firmware.load(tmp_path)


@pytest.mark.parametrize("energy", [0, 0.0, -1.5, "much", float("inf"), float("nan")])
def test_a_report_of_no_energy_is_refused(energy: object, tmp_path: Path) -> None:
    tier = {"mode": "88", "min_charge_permille": 0, "min_millivolts": 0, "hysteresis_permille": 30, "dwell_s": 60}
    report = {"policy": [tier], "modes": [{"name": "88", "energy_uj": energy}]}
    (tmp_path / "report.json").write_text(json.dumps(report))
    with pytest.raises(DimmerError, match=r"report\.json: an inference of mode 88 takes .* uJ, which cannot be; build"):
        policy_of_report(tmp_path / "report.json")


@pytest.mark.parametrize("board", ["host", pytest.param("mps2-an386", marks=pytest.mark.slow)])
@pytest.mark.parametrize("said", [(), ("mode",), ("mode", "switch"), ("mode", "switch", "stack"), ("null",)])
@pytest.mark.parametrize("number", [1, 3])
def test_every_null_of_a_firmware_has_its_note(board: str, said: tuple[str, ...], number: int, tmp_path: Path) -> None:
    """Whatever a firmware leaves unsaid, on a target that counts and on one that does not."""
    order = modes_order(tmp_path)
    order = replace(order, modes=order.modes[:number], policy=even_policy(number))
    events: dict[str, tuple[Event, ...]] = {
        "mode": tuple(ModeCounted(mode.name, 7) for mode in order.modes),
        "switch": (SwitchCounted(5),),
        "stack": (StackUsed(64),),
        "null": (ModeCounted(order.modes[0].name, None), SwitchCounted(None), StackUsed(None)),
    }
    host = load_target("host")
    compiled = compile_modes(order, order.modes, host, tmp_path / "out")
    ran = Ran(tuple(event for name in said for event in events[name]))
    made = figures_of(order, load_target(board), compiled, compiled, ran, Judged(), set())
    nulls = {
        "modes[*].instructions": any(mode.instructions is None for mode in made.modes),
        "modes[*].verify": any(mode.verify is None for mode in made.modes),
        "switch.instructions": made.switch.instructions is None,
        "switch.bytes_of_flash_per_extra_mode": made.switch.bytes_of_flash_per_extra_mode is None,
        "ram.stack": made.ram.stack is None,
        "ram.total": made.ram.total is None,
    }
    assert [place for place, null in nulls.items() if null and not made.notes.get(place)] == []
