# SPDX-License-Identifier: Apache-2.0
"""The portable kernels: one for every operator, and what variants may take their place of."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.kernels import fused, portable
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.variants import VARIANTS
from tests.firmware_gen.kernels.family import described


def test_every_kernel_that_is_described_is_listed() -> None:
    assert set(portable.KERNELS) == described(portable)


@pytest.mark.parametrize("kernel", portable.KERNELS, ids=lambda kernel: kernel.name)
def test_a_kernel_writes_somewhere(kernel: Kernel) -> None:
    assert "output" in {item.name for item in kernel.fields}
    # A state that is set has values of its own.
    assert {item.name for item in kernel.fields} & {"input", "input1", "initial"}


def test_what_needs_scratch_has_a_field_for_it_and_says_how_much() -> None:
    for kernel in portable.KERNELS:
        assert ("scratch" in {item.name for item in kernel.fields}) == bool(kernel.scratch), kernel.name


def test_sub_takes_what_add_takes() -> None:
    assert portable.SUB.record is portable.ADD.record
    assert portable.SUB != portable.ADD


def test_every_variant_replaces_a_portable_kernel_or_a_fused_one() -> None:
    fused_kernels = {fused.CONV_2D_ADD, fused.ENTRY_CONV_2D, fused.ENTRY_CONV_2D_ADD}
    assert {variant.replaces for variant in VARIANTS} <= {*portable.KERNELS, *fused_kernels}
