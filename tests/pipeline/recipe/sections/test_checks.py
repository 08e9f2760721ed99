"""What a section refuses."""

from __future__ import annotations

import pytest

from dimmer.pipeline.recipe.sections.checks import InvalidKeyError, _require


def test_a_refused_value_names_its_key() -> None:
    _require(True, "epochs", "must be at least 1")
    with pytest.raises(InvalidKeyError, match="must be at least 1") as caught:
        _require(False, "epochs", "must be at least 1")
    assert caught.value.key == "epochs"
