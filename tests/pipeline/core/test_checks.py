# SPDX-License-Identifier: Apache-2.0
"""A value is refused under the name of its key."""

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError, OneOf, bounded, require


def test_a_refused_value_names_its_key_and_is_an_error_to_show() -> None:
    require(True, "depth", "must be even")
    with pytest.raises(DimmerError, match=r"^depth must be even$") as refused:
        require(False, "depth", "must be even")
    assert isinstance(refused.value, InvalidKeyError)
    assert (refused.value.key, refused.value.reason) == ("depth", "must be even")


@pytest.mark.parametrize("value", [0, 3.5, 10])
def test_a_number_within_its_bounds_goes_through(value: float) -> None:
    bounded(value, 0, 10, "lr")


@pytest.mark.parametrize("value", [-1, 11, float("inf"), float("-inf"), float("nan"), 10**400])
def test_a_number_outside_is_refused(value: float) -> None:
    with pytest.raises(InvalidKeyError, match=r"^lr must be 0 to 10$"):
        bounded(value, 0, 10, "lr")


def test_a_bound_itself_may_be_outside() -> None:
    bounded(0.1, 0, 10, "lr", over=True)
    with pytest.raises(InvalidKeyError, match=r"^lr must be over 0 and at most 10$"):
        bounded(0, 0, 10, "lr", over=True)


def test_known_values_are_a_tuple_or_a_function() -> None:
    assert OneOf((8, 4)).values() == OneOf(lambda: (8, 4)).values() == (8, 4)
