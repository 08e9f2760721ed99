# SPDX-License-Identifier: Apache-2.0
"""Kernels for files of uint8."""

from __future__ import annotations

from dimmer.firmware_gen.kernels import unsigned
from tests.firmware_gen.kernels.family import described


def test_every_kernel_that_is_described_is_listed() -> None:
    assert set(unsigned.KERNELS) == described(unsigned)
