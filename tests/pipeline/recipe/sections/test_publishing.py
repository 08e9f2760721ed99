# SPDX-License-Identifier: Apache-2.0
"""[calibration], [selection], [verify]: what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from dimmer.calibration.ranges import METHODS as ESTIMATORS
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.recipe.sections.publishing import METHODS, CalibrationSection, SelectionSection, VerifySection


def test_a_recipe_may_name_every_estimator_that_there_is() -> None:
    assert METHODS == ESTIMATORS
    assert CalibrationSection().methods == ESTIMATORS


@pytest.mark.parametrize(
    ("section", "key", "wrong"),
    [
        (CalibrationSection, "images", 0),
        (CalibrationSection, "percentile", 50.0),
        (CalibrationSection, "percentile", 100.5),
        (CalibrationSection, "methods", ()),
        (CalibrationSection, "methods", ("median",)),
        (CalibrationSection, "bn_images", 1),
        (SelectionSection, "search", -1),
        (SelectionSection, "limit", 1),
        (SelectionSection, "limit", 33),
        (SelectionSection, "images", 0),
        (VerifySection, "images", 0),
    ],
)
def test_a_wrong_value_is_refused(section: type, key: str, wrong: Any) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        section(**{key: wrong})
    assert caught.value.key == key
