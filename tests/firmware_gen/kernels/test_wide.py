# SPDX-License-Identifier: Apache-2.0
"""Kernels for activations of 16 bits."""

from __future__ import annotations

from dimmer.firmware_gen.kernels import wide
from tests.firmware_gen.kernels.family import described


def test_every_kernel_that_is_described_is_listed() -> None:
    assert set(wide.KERNELS) == described(wide)
