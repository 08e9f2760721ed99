# SPDX-License-Identifier: Apache-2.0
"""[latency] of target.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.variants.latency import FITTED, Latency
from dimmer.targets import TargetError, load_target
from dimmer.targets.kit.latency import latency_of
from dimmer.targets.kit.schema import Table
from dimmer.toml import Lines


def table(**keys: object) -> Table:
    return Table(keys, Lines(Path("target.toml"), ""), ("latency",))


def test_what_is_not_said_is_as_costs_were_fitted() -> None:
    assert latency_of(None, "cortex-m3") == latency_of(table(), "cortex-m3") == FITTED
    assert latency_of(table(multiply=3), "rv32imc") == Latency(multiply=3)


def test_what_timing_said_before_holds() -> None:
    assert latency_of(None, "cortex-m3", 4) == Latency(multiply_add_long=4)


def test_targets_say_what_is_known_of_their_cores() -> None:
    assert load_target("ibex-small").latency == Latency(multiply=3, multiply_high=4, load_store=2)
    assert load_target("ibex-maxperf").latency == FITTED
    assert load_target("cv32e40p").latency == Latency(multiply_high=5)
    m3 = load_target("mps2-an385")
    assert m3.timing is not None
    assert m3.timing.latency == m3.latency == FITTED


@pytest.mark.parametrize(
    ("core", "keys", "earlier", "message"),
    [
        (
            "cortex-m3",
            {"multiply": 3},
            None,
            "'multiply' has no effect on cortex-m3, whose kernels do not depend on it: give it multiply_add_long",
        ),
        (
            "cortex-m4",
            {"multiply_add_long": 1},
            None,
            "'multiply_add_long' has no effect on cortex-m4, whose kernels do not depend on it: leave [latency] away",
        ),
        ("cortex-m0plus", {"multiply": 0}, None, "'multiply' is 0: give it at least 1"),
        ("cortex-m0plus", {"multiply": 65}, None, "'multiply' is 65: give it at most 64"),
        ("rv32imc", {"multiply_high": "slow"}, None, "'multiply_high' is 'slow': give it a whole number"),
        (
            "cortex-m3",
            {"multiply_add_long": 4},
            5,
            "'multiply_add_long' stands in [timing] as well: take it away there",
        ),
        ("rv32imc", {"divide": 3}, None, "unknown key 'divide'"),
    ],
)
def test_mistakes_are_one_line(core: str, keys: dict[str, object], earlier: int | None, message: str) -> None:
    with pytest.raises(TargetError) as error:
        latency_of(table(**keys), core, earlier)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
