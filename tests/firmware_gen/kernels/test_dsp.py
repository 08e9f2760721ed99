# SPDX-License-Identifier: Apache-2.0
"""Kernels of the DSP extension: all are listed, and variants run them."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.kernels import dsp
from dimmer.firmware_gen.kernels.record import Kernel
from tests.firmware_gen.kernels.family import described, settings


def test_every_kernel_that_is_described_is_listed() -> None:
    assert set(dsp.KERNELS) == described(dsp)


@pytest.mark.parametrize("kernel", dsp.KERNELS, ids=lambda kernel: kernel.name)
def test_a_variant_runs_it_with_settings_of_its_own(kernel: Kernel) -> None:
    assert settings(kernel) <= {"group", "offsets", "scratch", "step", "strip", "terms", "transposed"}


def test_names_say_the_instruction_set() -> None:
    assert all(kernel.name.endswith("_dsp") for kernel in dsp.KERNELS)
