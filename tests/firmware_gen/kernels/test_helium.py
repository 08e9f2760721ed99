# SPDX-License-Identifier: Apache-2.0
"""Kernels of Helium: all are listed, and variants run them."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.kernels import helium
from dimmer.firmware_gen.kernels.record import Kernel
from tests.firmware_gen.kernels.family import described, settings


def test_every_kernel_that_is_described_is_listed() -> None:
    assert set(helium.KERNELS) == described(helium)


@pytest.mark.parametrize("kernel", helium.KERNELS, ids=lambda kernel: kernel.name)
def test_a_variant_runs_it_with_settings_of_its_own(kernel: Kernel) -> None:
    assert settings(kernel) <= {"columns", "down", "group", "scratch"}


def test_names_say_the_instruction_set() -> None:
    assert all(kernel.name.endswith("_mve") for kernel in helium.KERNELS)
