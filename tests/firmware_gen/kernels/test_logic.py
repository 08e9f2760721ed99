# SPDX-License-Identifier: Apache-2.0
"""Kernels of decisions."""

from __future__ import annotations

from dimmer.firmware_gen.kernels import logic
from tests.firmware_gen.kernels.family import described


def test_every_kernel_that_is_described_is_listed() -> None:
    assert set(logic.KERNELS) == described(logic)
