# SPDX-License-Identifier: Apache-2.0
"""A reason is an error of a target, whose message a report can show."""

from dimmer.targets import TargetError
from dimmer.targets.timing.errors import NotModelledError


def test_it_is_caught_as_an_error_of_a_target() -> None:
    error = NotModelledError("no compiler")
    assert isinstance(error, TargetError)
    assert str(error) == "no compiler"
