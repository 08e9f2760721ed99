"""A refused value names its key."""

from __future__ import annotations

import pytest

from dimmer.pipeline.core.checks import InvalidKeyError, require
from dimmer.pipeline.core.errors import DimmerError


def test_a_refused_value_names_its_key() -> None:
    require(True, "epochs", "must be at least 1")
    with pytest.raises(InvalidKeyError, match=r"^epochs must be at least 1$") as caught:
        require(False, "epochs", "must be at least 1")
    assert (caught.value.key, caught.value.reason) == ("epochs", "must be at least 1")
    assert isinstance(caught.value, DimmerError)
