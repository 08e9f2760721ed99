# SPDX-License-Identifier: Apache-2.0
"""[gates]: what is refused, and the shape of the gates."""

from __future__ import annotations

from typing import Any

import pytest

from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.recipe.sections.gates import GatesSection


def test_the_defaults_are_sound_and_give_their_shape() -> None:
    config = GatesSection(options=(8, 0), features=4, hidden=12).config()
    assert (config.options, config.features, config.hidden) == ((8, 0), 4, 12)


def test_gates_that_know_one_budget_are_measured_at_that_one() -> None:
    assert GatesSection(budgets=(0.5, 0.25)).served == (0.5, 0.25)
    assert GatesSection(budgets=(0.5, 0.25), only_budget=0.1).served == (0.1,)


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("options", (4, 8)),
        ("options", (4, 2)),
        ("options", (32, 16, 8, 4, 2)),
        ("options", (8, 3)),
        ("features", 0),
        ("features", 33),
        ("hidden", 0),
        ("warmup_epochs", -1),
        ("front_images", 0),
        ("batch", 1),
        ("lr", 0.0),
        ("backbone_lr", -0.1),
        ("cost_weight", 0.0),
        ("dead_band", 1.0),
        ("only_budget", -0.1),
        ("only_budget", 0.03),
        ("only_budget", 1.1),
        ("lowest_budget", 0.0),
        ("budgets_per_batch", 129),
        ("budgets", ()),
        ("budgets", (1.2, 0.5)),
        ("budgets", (0.5, 0.5)),
        ("reference_bits", 4),
    ],
)
def test_a_wrong_value_is_refused(key: str, wrong: Any) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        GatesSection(**{key: wrong})
    assert caught.value.key == key
