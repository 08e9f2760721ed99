"""No instruction, byte of code or byte of RAM comes back unasked."""

from dataclasses import replace

import pytest

from dimmer.benchmarks.count import (
    Baseline,
    Count,
    count,
    grown,
    key,
    models,
    read_baseline,
    updated,
)
from tests.boards import BOARD_PARAMS

C = Count(macs=100, instructions=1000, switch=10, code=500, arena=400, stack=300)


def test_growth_beyond_two_percent_is_told_and_less_is_not() -> None:
    assert grown({"a": replace(C, instructions=1020)}, {"a": C}) == []
    (line,) = grown({"a": replace(C, instructions=1021)}, {"a": C})
    assert "instructions grew from 1,000 to 1,021 (+2.1%)" in line
    assert grown({"a": replace(C, instructions=500)}, {"a": C}) == []


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
@pytest.mark.parametrize("name", BOARD_PARAMS)
def test_nothing_grew(name: str) -> None:
    baseline = read_baseline()
    if reason := baseline.other_compiler(name):
        pytest.skip(reason)
    measured = {key(model, name): count(model, name) for model in models()}
    assert grown(measured, baseline.counts) == []
    assert len(measured) >= 2
