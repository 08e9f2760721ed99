# SPDX-License-Identifier: Apache-2.0
"""A calibration that cannot be done says so in one line."""

import pytest

from dimmer.calibration.errors import CalibrationError
from dimmer.calibration.ranges import (
    Range,
)


def test_a_diverged_network_is_told_in_one_line() -> None:
    with pytest.raises(CalibrationError, match="not finite"):
        Range(0.0, float("nan"))
