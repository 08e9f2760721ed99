# SPDX-License-Identifier: Apache-2.0
"""Errors of targets are Dimmer's."""

from __future__ import annotations

import pytest

from dimmer.errors import DimmerError
from dimmer.targets import TargetError
from dimmer.targets.kit.schema import Table


def test_whoever_catches_dimmers_errors_catches_a_targets() -> None:
    with pytest.raises(DimmerError, match=r"lamp\.toml: 'core' is missing") as caught:
        Table({}, "lamp.toml").text("core")
    assert isinstance(caught.value, TargetError)
