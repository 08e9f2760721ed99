# SPDX-License-Identifier: Apache-2.0
"""Kernels of layers that keep something."""

from __future__ import annotations

from dimmer.firmware_gen.kernels import recurrent
from tests.firmware_gen.kernels.family import described


def test_every_kernel_that_is_described_is_listed() -> None:
    assert set(recurrent.KERNELS) == described(recurrent)
