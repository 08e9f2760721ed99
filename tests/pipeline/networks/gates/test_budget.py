# SPDX-License-Identifier: Apache-2.0
"""What gates cost and what their budgets mean, without a network."""

from __future__ import annotations

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.gates.budget import (
    GateConfig,
    budget_level,
    direction,
    gate_macs,
    gate_places,
    gated_cost,
    level_budget,
)

CONFIG = ResNetConfig((1, 2), (1, 1), (4, 6), 1, (8, 8), 3, (8, 4, 2))
R14 = ResNetConfig((1, 1, 1), (1, 1, 1), (16, 32, 64), 3, (32, 32), 10, (8, 4, 2))
SHAPE = GateConfig(features=3, hidden=5)


def test_macs_counted_by_hand() -> None:
    # Pools of 4 channels of 8x8 at both entries; convolutions from 4 channels and the budget to 3 features; cells of
    # 3 features and 5 units; logits: 3, 4 and 3, 3, 4.
    blocks = 5 * (5 * 3) + 5 * (5 * (3 + 5)) + 5 * (3 + 4 + 3 + 3 + 4)
    assert gate_macs(CONFIG, SHAPE) == 2 * 4 * 64 + blocks


def test_the_cost_counted_by_hand() -> None:
    macs = CONFIG.cost()
    cost = gated_cost(CONFIG, macs, SHAPE)
    assert macs.blocks == ((64 * 288, 64 * 288), (16 * (216 + 324 + 24), 16 * 648, 16 * 648))
    full = 64 * (macs.fixed + 2 * 64 * 288 + 16 * (564 + 1296))
    spent = 64 * (macs.fixed + gate_macs(CONFIG, SHAPE)) + 64 * 288 * 16 + 16 * (564 * 4 + 648 * 64)
    assert cost.relative(Mode.parse("40.280")) == pytest.approx(spent / full)
    assert cost.relative(Mode.parse("88.888")) == pytest.approx(1 + 64 * gate_macs(CONFIG, SHAPE) / full)
    without = Mode.parse("40.280").bit_operations(macs) / Mode.parse("88.888").bit_operations(macs)
    assert cost.relative(Mode.parse("40.280")) - without == pytest.approx(64 * gate_macs(CONFIG, SHAPE) / full)


def test_the_account_of_fractional_skipping_counts_against_32_bits() -> None:
    cost = gated_cost(CONFIG, CONFIG.cost(), GateConfig((32, 16, 8, 0)), reference=32)
    assert cost.option(0, 0, 16) == pytest.approx(cost.option(0, 0, 32) / 4)
    assert cost.option(0, 0, 8) == pytest.approx(cost.option(0, 0, 32) / 16)


def test_gates_of_r14_cost_less_than_a_hundredth() -> None:
    cost = R14.cost()
    assert gate_macs(R14, GateConfig()) < 0.01 * (cost.fixed + sum(map(sum, cost.blocks)))


@pytest.mark.parametrize(
    ("cost", "target", "expected"), [(0.5, 0.4, 1), (0.41, 0.4, 0), (0.39, 0.4, 0), (0.3, 0.4, -1), (0.043, 0.04, 1)]
)
def test_the_controller_has_a_dead_band_around_its_target(cost: float, target: float, expected: int) -> None:
    assert direction(cost, target, 0.05) == expected


def test_levels_are_bytes_in_equal_ratios() -> None:
    assert [budget_level(b) for b in (0.001, 1 / 32, 0.25, 0.5, 1.0, 2.0)] == [0, 0, 153, 204, 255, 255]
    assert [budget_level(level_budget(level)) for level in range(256)] == list(range(256))


@pytest.mark.parametrize("options", [(0, 8), (4, 2), (8, 8), (8, 4, 28)])
def test_options_that_make_no_sense_are_refused(options: tuple[int, ...]) -> None:
    with pytest.raises(DimmerError, match="written by falling cost, 8 among them: 8, 48, 28, 4, 24, 2, 0"):
        GateConfig(options)


def test_skipnet_has_a_choice_at_skippable_blocks_alone() -> None:
    places = gate_places(CONFIG, GateConfig((8, 0)))
    assert [[place.options for place in stage] for stage in places] == [[(8,), (8, 0)], [(8,), (8,), (8, 0)]]
