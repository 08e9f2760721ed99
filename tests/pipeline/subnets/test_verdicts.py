# SPDX-License-Identifier: Apache-2.0
"""Which modes are published."""

import numpy as np

from dimmer.pipeline.modes.mode import Mode, NetworkCost
from dimmer.pipeline.networks.measure import Measured
from dimmer.pipeline.subnets.accuracies import Quantised
from dimmer.pipeline.subnets.verdicts import judge

COST = NetworkCost(10, ((100, 100), (100, 100)))
MODES = [Mode.parse(name) for name in ("88.88", "80.88", "88.80", "80.80")]


def right(count: int, loss: float = 0.1) -> Quantised:
    return Quantised(Measured(np.arange(100) < count, loss), {})


def test_of_modes_that_cost_the_same_the_better_one_stays() -> None:
    found = judge(MODES, [right(95), right(90), right(92), right(85)], COST, (MODES[0], MODES[3]), 4)
    assert [verdict.name for verdict in found] == [str(mode) for mode in MODES]
    assert [verdict.published for verdict in found] == [True, False, True, True]
    assert found[1].dominated_by == "88.80"
    assert found[0].reason == "kept by the recipe"


def test_what_is_kept_is_published_even_where_a_cheaper_mode_is_better() -> None:
    worse = [right(50), right(60), right(70), right(99)]
    assert [v.published for v in judge(MODES, worse, COST, MODES, 4)] == [True] * 4
    assert [v.published for v in judge(MODES, worse, COST, MODES[3:], 4)] == [False, False, False, True]


def test_a_limit_leaves_out_those_that_add_least() -> None:
    found = judge(MODES[:3], [right(95), right(90), right(90, 0.2)], COST, MODES[:1], 1)
    assert [verdict.published for verdict in found] == [True, False, False]
    assert "at most 1 are published" in found[1].reason
