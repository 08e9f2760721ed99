# SPDX-License-Identifier: Apache-2.0
"""The history of a training of gates."""

import json

import pytest

from dimmer.pipeline.core.documents import from_json
from dimmer.pipeline.training.gate_history import GateEpoch, Validated, penalty

LINE = GateEpoch(3, "cost", 0.5, 0.04, {"0.5": Validated(90.0, 0.6), "0.25": Validated(80.0, 0.2)}, 1.5)


def test_a_line_is_written_with_pairs_and_read_back() -> None:
    written = json.loads(json.dumps(LINE.to_json()))
    assert written["val"] == {"0.5": [90.0, 0.6], "0.25": [80.0, 0.2]}
    assert from_json(GateEpoch, written) == LINE
    assert str(LINE) == "cost, loss 0.500, off the budget by 4%, validation 90.00 % at 0.600, 80.00 % at 0.200"


def test_errors_count_and_a_tenth_of_what_exceeds_the_budget() -> None:
    assert penalty(LINE) == pytest.approx((0.1 + 0.1 * 0.2 + 0.2) / 2)
