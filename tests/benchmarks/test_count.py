"""No instruction, byte of code or byte of RAM comes back unasked."""

from dataclasses import replace

import pytest

from benchmarks.count import Count, compiler, count, grown, key, models, read_baseline

C = Count(macs=100, instructions=1000, switch=10, code=500, arena=400, stack=300)


def test_growth_beyond_two_percent_is_told_and_less_is_not() -> None:
    assert grown({"a": replace(C, instructions=1020)}, {"a": C}) == []
    (line,) = grown({"a": replace(C, instructions=1021)}, {"a": C})
    assert "instructions grew from 1,000 to 1,021 (+2.1%)" in line
    assert grown({"a": replace(C, instructions=500)}, {"a": C}) == []


def test_a_model_without_a_baseline_is_told() -> None:
    assert "--update" in grown({"b": C}, {"a": C})[0]


@pytest.mark.shared
@pytest.mark.board
def test_nothing_grew() -> None:
    baseline = read_baseline()
    if compiler("mps2-an386") != baseline.compiler:
        pytest.skip(f"the baseline was counted with {baseline.compiler}, here is {compiler('mps2-an386')}")
    measured = {key(model, "mps2-an386"): count(model, "mps2-an386") for model in models()}
    assert grown(measured, baseline.counts) == []
    assert len(measured) >= 2
