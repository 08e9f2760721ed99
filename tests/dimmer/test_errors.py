# SPDX-License-Identifier: Apache-2.0
"""Every error that a person can act on has one root, and is one line."""

from __future__ import annotations

import pytest

from dimmer.calibration.errors import CalibrationError
from dimmer.errors import DimmerError
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.targets import TargetError


@pytest.mark.parametrize("error", [CalibrationError, FirmwareGenError, InvalidKeyError, TargetError])
def test_one_except_clause_catches_them_all(error: type[Exception]) -> None:
    assert issubclass(error, DimmerError)


@pytest.mark.parametrize("error", [CalibrationError, DimmerError, FirmwareGenError, TargetError])
def test_a_message_is_one_line(error: type[Exception]) -> None:
    assert "\n" not in str(error("the lamp\nis broken"))
