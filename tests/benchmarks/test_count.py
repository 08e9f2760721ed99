# SPDX-License-Identifier: Apache-2.0
"""No instruction, byte of code or byte of RAM comes back unasked."""

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.benchmarks.count import (
    Baseline,
    Count,
    grown,
    key,
    measure,
    measured_modes,
    models,
    read_baseline,
    updated,
)
from dimmer.errors import DimmerError
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import load_target
from tests.boards import CHOSEN_BOARD_PARAMS
from tests.firmware_gen.networks import tiny_resnet
from tests.pipeline.artifact_examples import firmware
from tests.pipeline.shared_models import figures_of
from tests.tiny import silent

C = Count(macs=100, instructions=1000, switch=10, code=500, arena=400, stack=300)


def test_growth_beyond_two_percent_is_told_and_less_is_not() -> None:
    assert grown({"a": replace(C, instructions=1020)}, {"a": C}) == []
    (line,) = grown({"a": replace(C, instructions=1021)}, {"a": C})
    assert "instructions grew from 1,000 to 1,021 (+2.1%)" in line
    assert grown({"a": replace(C, instructions=500)}, {"a": C}) == []


def test_cycles_are_compared_where_both_have_them_from_one_source() -> None:
    timed = replace(C, cycles=1600, cycles_source="model")
    assert "cycles grew from 1,600 to 1,700" in grown({"a": replace(timed, cycles=1700)}, {"a": timed})[0]
    assert grown({"a": replace(timed, cycles=1700, cycles_source="rtl")}, {"a": timed}) == []
    assert grown({"a": timed}, {"a": C}) == grown({"a": C}, {"a": timed}) == []


def test_a_model_without_a_baseline_is_told() -> None:
    assert "--update" in grown({"b": C}, {"a": C})[0]


def test_figures_of_a_replaced_compiler_leave_the_baseline() -> None:
    before = Baseline({"arm-none-eabi-gcc": "12"}, {"a on mps2-an386": C, "a on mps2-an385": C})
    after = updated(before, {"a on mps2-an386": replace(C, code=1)}, {"arm-none-eabi-gcc": "12"})
    assert after.counts == {"a on mps2-an386": replace(C, code=1), "a on mps2-an385": C}
    after = updated(before, {"a on mps2-an386": C, "a on riscv-virt": C}, {"arm-none-eabi-gcc": "13", "rv": "1"})
    assert set(after.counts) == {"a on mps2-an386", "a on riscv-virt"}
    assert after.compilers == {"arm-none-eabi-gcc": "13", "rv": "1"}


@pytest.mark.shared
@pytest.mark.parametrize("name", CHOSEN_BOARD_PARAMS)
def test_nothing_grew(builds: Path, name: str) -> None:
    baseline = read_baseline()
    if reason := baseline.other_compiler(name):
        pytest.skip(reason)
    measured = {key(model, name): measured_modes(figures_of(builds, model, name))[0].count for model in models()}
    assert grown(measured, baseline.counts) == []
    assert len(measured) >= 2


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
def test_what_is_counted_is_what_a_firmware_of_the_file_has(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    found = measure(path, "mps2-an386")
    made = make(foreign_order([path], samples=0), load_target("mps2-an386"), tmp_path / "out", silent)
    assert found == measured_modes(made)[0]
    assert found.mode == "resnet"
    assert found.count.instructions > found.count.macs > 0
    assert sum(layer.macs for layer in found.layers) == found.count.macs


def test_a_target_that_counts_nothing_is_refused() -> None:
    made = firmware()
    blind = replace(made, target="host", modes=tuple(replace(mode, instructions=None) for mode in made.modes))
    with pytest.raises(DimmerError, match="host has no instruction counter: name a target that counts"):
        measured_modes(blind)
