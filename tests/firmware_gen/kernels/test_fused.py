# SPDX-License-Identifier: Apache-2.0
"""Fused steps have the fields of both, and no kernel of their own."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.kernels import fused
from dimmer.firmware_gen.kernels.families import KERNELS
from dimmer.firmware_gen.kernels.portable import ADD, CONV_2D
from dimmer.firmware_gen.kernels.record import Kernel

FUSED = (fused.CONV_2D_ADD, fused.ENTRY_CONV_2D, fused.ENTRY_CONV_2D_ADD)


@pytest.mark.parametrize("kernel", FUSED, ids=lambda kernel: kernel.name)
def test_a_fused_step_has_the_fields_of_its_parts(kernel: Kernel) -> None:
    names = {item.name for item in kernel.fields}
    assert names >= {item.name for item in CONV_2D.fields}
    assert ("operand" in names) == (names >= {f"add_{item.name}" for item in ADD.fields})
    assert kernel not in KERNELS


@pytest.mark.parametrize("kernel", FUSED, ids=lambda kernel: kernel.name)
def test_some_kernel_can_take_over_every_field(kernel: Kernel) -> None:
    """Fields are handed on by name."""
    needed = {item.name for item in kernel.fields if not item.reserved}
    assert any(needed <= {item.name for item in other.fields} for other in KERNELS)
