# SPDX-License-Identifier: Apache-2.0
"""Errors of targets are Dimmer's."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.targets import OverflowedError, TargetError
from dimmer.targets.kit.schema import Table
from dimmer.toml import Lines


def test_whoever_catches_dimmers_errors_catches_a_targets() -> None:
    with pytest.raises(DimmerError, match=r"lamp\.toml: 'core' is missing") as caught:
        Table({}, Lines(Path("lamp.toml"), "")).text("core")
    assert isinstance(caught.value, TargetError)


def test_what_overflowed_is_told_by_region() -> None:
    error = OverflowedError("ld failed", {"flash": 12, "ram": None})
    assert isinstance(error, TargetError)
    assert (str(error), error.regions) == ("ld failed", {"flash": 12, "ram": None})
