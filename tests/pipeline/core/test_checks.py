"""A value is refused under the name of its key."""

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError, OneOf, require


def test_a_refused_value_names_its_key_and_is_an_error_to_show() -> None:
    require(True, "depth", "must be even")
    with pytest.raises(DimmerError, match=r"^depth must be even$") as refused:
        require(False, "depth", "must be even")
    assert isinstance(refused.value, InvalidKeyError)
    assert (refused.value.key, refused.value.reason) == ("depth", "must be even")


def test_known_values_are_a_tuple_or_a_function() -> None:
    assert OneOf((8, 4)).values() == OneOf(lambda: (8, 4)).values() == (8, 4)
