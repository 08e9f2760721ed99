# SPDX-License-Identifier: Apache-2.0
"""What the model cannot do is a line for a person."""

from dimmer.errors import DimmerError
from dimmer.pipeline.verification.npu.errors import NpuModelError


def test_it_is_an_error_that_commands_tell() -> None:
    assert issubclass(NpuModelError, DimmerError)
