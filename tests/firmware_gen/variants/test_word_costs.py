# SPDX-License-Identifier: Apache-2.0
"""The costs of kernels that multiply word by word."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.variants.cores import FEATURES
from dimmer.firmware_gen.variants.word_costs import COSTS, Costs


def test_every_instruction_set_that_multiplies_word_by_word_has_costs() -> None:
    asked = set().union(*(features for features in FEATURES.values() if "words" in features)) - {"words", "thumb"}
    assert set(COSTS) == asked | {"riscv"}


@pytest.mark.parametrize("costs", COSTS.values(), ids=lambda costs: costs.feature)
def test_what_saves_work_costs_less(costs: Costs) -> None:
    """Two products of a word, four channels at a time, sums that are small, tables of parts of the output."""
    assert costs.pairs.mac < costs.panel.mac
    assert costs.winograd.mac <= costs.lone.mac
    assert costs.small <= costs.rescale <= costs.whole
    assert costs.add[0] <= costs.add[1]
