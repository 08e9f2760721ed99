# SPDX-License-Identifier: Apache-2.0
"""From .tflite files to a program that says of itself that it is right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.pipeline.artifacts.firmware import Firmware, Verification
from dimmer.pipeline.image.make import Counted, judge, make
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import load_target
from tests.boards import EVERY_TARGET, SLOW_SIMULATED_PARAMS, rest_slow
from tests.firmware_gen.modes import MODES
from tests.firmware_gen.networks import tiny_mix, tiny_resnet
from tests.firmware_gen.tflite_builder import Layers
from tests.pipeline.artifact_examples import calibration
from tests.pipeline.image.orders import modes_order
from tests.tiny import silent


@pytest.mark.parametrize("name", [*rest_slow(EVERY_TARGET, "host", "mps2-an386", "riscv-virt"), *SLOW_SIMULATED_PARAMS])
def test_several_modes(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    out = tmp_path / "out"
    figures = make(modes_order(tmp_path, 3), target, out, silent)
    assert Firmware.load(out) == figures
    assert [mode.name for mode in figures.modes] == list(MODES)
    for mode in figures.modes:
        assert mode.verify == Verification(3, 0, target.description)
        steps = [step for step in figures.steps if step.mode == mode.name]
        assert sum(step.macs for step in steps) == mode.macs
        if name != "host":
            counted = [step.instructions for step in steps if step.instructions is not None]
            assert len(counted) == len(steps)
            assert sum(counted) == pytest.approx(mode.instructions, rel=0.02)
        if target.counts_cycles:
            assert {step.cycles_source for step in steps} == {mode.cycles_source} == {"rtl"}
            assert sum(step.cycles or 0 for step in steps) == pytest.approx(mode.cycles, rel=0.02)
    flash, ram, switch = figures.flash, figures.ram, figures.switch
    assert flash.total == flash.weights + flash.tables + flash.code
    assert switch.bytes_of_flash_per_extra_mode == (flash.total - flash.single_mode_total) / 2
    assert 0 < switch.bytes_of_flash_per_extra_mode < 600
    assert ram.arena == ram.single_mode_arena == ram.lower_bound
    assert {buffer.mode for buffer in figures.buffers} == set(MODES)
    assert {layer.modes for layer in figures.layers} >= {("888", "880", "800"), ("888",)}
    if name != "host":
        assert all(mode.instructions for mode in figures.modes)
        assert switch.instructions is not None
        assert 0 < switch.instructions < 100
        assert ram.stack is not None
        assert figures.stack.proven is not None
        assert ram.stack <= figures.stack.proven
        said = (out / f"{names_of(figures.model).stack_header}").read_text()
        assert f"_STACK_INVOKE {figures.stack.entry('dimmer_invoke')}u" in said
        assert f"all modes run: {ram.stack} bytes" in said
        assert target.name in said
        assert not any(place.startswith("stack") for place in figures.notes)
        assert ram.total is not None
        assert ram.total >= ram.arena + ram.stack
        assert (out / "firmware.hex").is_file()
        assert (out / "firmware.bin").is_file()
    else:
        assert all(mode.instructions is None for mode in figures.modes)
        assert figures.notes["modes[*].instructions"] == "host has no instruction counter"
        assert "operating system" in figures.notes["stack.proven"]


def test_one_mode_has_nothing_to_compare(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    figures = make(foreign_order([path], 2), load_target("host"), tmp_path / "out", silent)
    assert figures.switch.bytes_of_flash_per_extra_mode is None
    assert figures.notes["switch.bytes_of_flash_per_extra_mode"] == "there is only one mode"
    assert figures.policy == ()


def test_float_models(tmp_path: Path) -> None:
    path = tmp_path / "mix.tflite"
    path.write_bytes(tiny_mix())
    figures = make(foreign_order([path], 4), load_target("host"), tmp_path / "out", silent)
    assert figures.mismatches == 0
    assert figures.modes[0].verify is not None


def test_a_file_on_which_the_interpreter_dies(tmp_path: Path) -> None:
    net = Layers(0)
    x = net.activation([1, 4], 1.0, 0)
    path = tmp_path / "add.tflite"
    path.write_bytes(net.build(x, net.elementwise("ADD", x, x, output=net.activation([1, 4], 1e-9, 0, "y"))))
    with pytest.raises(FirmwareGenError, match=r"add\.tflite: operator 0 ADD \(y\): the rescaling factor"):
        make(foreign_order([path]), load_target("host"), tmp_path / "out", silent)


def test_a_wrong_firmware_is_not_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dimmer.pipeline.image.compiled.run_oracle", lambda jobs: [bytes(6) for _ in jobs])
    with pytest.raises(DimmerError, match="the self-test of 888, 880, 800 fails"):
        make(modes_order(tmp_path), load_target("host"), tmp_path / "out", silent)


def test_modes_are_not_judged_where_nothing_can_be_counted_or_fewer_operations_are_fewer_instructions(
    tmp_path: Path,
) -> None:
    order = modes_order(tmp_path)
    assert not judge(order, calibration(), load_target("mps2-an386"), silent).instructions
    narrow = replace(order, modes=tuple(replace(mode, name=mode.name.replace("8", "4")) for mode in order.modes))
    assert not judge(narrow, calibration(), load_target("host"), silent).instructions


@pytest.mark.board
@pytest.mark.parametrize("second", ["884", "88c"])
def test_narrow_modes_are_counted_and_those_that_are_no_use_there_named(tmp_path: Path, second: str) -> None:
    order = modes_order(tmp_path)
    names = ("888", second, "880")
    modes = tuple(replace(mode, name=name) for mode, name in zip(order.modes, names, strict=True))
    # The second is as good as the first, so that the first is worth nothing; the third predicts worse.
    accuracies = dict(zip(names, (0.9, 0.9, 0.8), strict=True))
    entries = tuple(
        replace(entry, name=name, accuracy=accuracies[name])
        for entry, name in zip(calibration().modes, names, strict=True)
    )
    judged = judge(
        replace(order, modes=modes), replace(calibration(), modes=entries), load_target("mps2-an386"), silent
    )
    counts = judged.instructions
    assert (list(counts), list(judged.cycles)) == (list(names), list(names))
    assert (judged.cost, judged.unit) == (judged.cycles, "cycles")
    assert (Counted(counts).cost, Counted(counts).unit) == (counts, "instructions")
    assert counts["888"] > counts[second] > counts["880"]
    assert not judged.worse
