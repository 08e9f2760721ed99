# SPDX-License-Identifier: Apache-2.0
"""The table of layers: shares, cycles a MAC, what bounds a layer."""

from __future__ import annotations

from dataclasses import replace

from dimmer.pipeline.artifacts.firmware import Step
from dimmer.pipeline.artifacts.report import ReportData
from dimmer.pipeline.reporting.layers import Part, cycles_heading, layer_tables
from tests.pipeline.reporting.report_example import example

CONV = Step("88.88.88", "stem", "dimmer_conv2d_s8", 1000, 1200, 3000, "model", {"loads": 2000, "products": 1000})
POOL = Step("88.88.88", "pool", "dimmer_mean_s8", 0, 500, 1000, "model", {"others": 1000})


def data(*steps: Step, macs_per_cycle: float | None = 2) -> ReportData:
    return replace(example(), steps=steps, macs_per_cycle=macs_per_cycle)


def test_rows_have_share_cost_and_bound() -> None:
    (table,) = layer_tables(data(CONV, POOL))
    first, second = table.rows
    assert (table.mode, first.step, first.share, first.per_mac) == ("88.88.88", CONV, 0.75, 3.0)
    assert (first.mostly, first.bound, second.bound) == ("loads 67%", 500 / 3000, None)
    assert layer_tables(data(CONV, macs_per_cycle=None))[0].rows[0].bound is None
    assert first.parts == (Part("products", 1 / 3), Part("loads", 2 / 3))
    assert (second.share, second.per_mac, second.parts) == (0.25, None, (Part("others", 1 / 3),))


def test_without_cycles_instructions_stand_in() -> None:
    bare = [replace(step, cycles=None, cycles_source=None, spent={}) for step in (CONV, POOL)]
    (table,) = layer_tables(data(*bare))
    assert (table.rows[0].per_mac, table.rows[0].mostly) == (1.2, "")
    assert table.rows[1].parts == (Part("", 500 / 1200),)
    assert layer_tables(data(*(replace(step, instructions=None) for step in bare))) == ()


def test_the_heading_says_how_cycles_were_come_by() -> None:
    assert cycles_heading(example()) == "modelled"
    first = replace(example().modes[0], cycles_source="rtl")
    assert cycles_heading(replace(example(), modes=(first,))) == "measured on RTL"
    first = replace(first, cycles=None, cycles_source=None)
    assert cycles_heading(replace(example(), modes=(first,))) == ""
