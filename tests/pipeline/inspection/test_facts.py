# SPDX-License-Identifier: Apache-2.0
"""What is told, as types."""

from __future__ import annotations

import dataclasses

from dimmer.pipeline.inspection.facts import AliasFacts, ModelFacts, OperatorFacts, Plan

ALIAS = AliasFacts("80", "half", "whole", 48, 1600)
PLAN = Plan("board", ("88", "80"), 100, 90, 80, 10, 20, 30, 4096, None, (ALIAS,))


def test_flash_is_the_model_s_without_code() -> None:
    assert PLAN.flash_needed == 60


def test_refusals_of_the_file_stand_before_those_of_operators() -> None:
    operator = OperatorFacts(0, "ADD", "y", (0, 1), (2,), "int8", "none", 0, 0, (), ("second", "third"))
    model = ModelFacts("a", 1, (0,), (2,), 0, 0, (operator,), (), ("first",), None)
    assert model.all_refusals == ("first", "second", "third")
    assert dataclasses.replace(model, operators=(), refusals=()).all_refusals == ()
