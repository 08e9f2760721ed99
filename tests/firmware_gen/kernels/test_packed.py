# SPDX-License-Identifier: Apache-2.0
"""Kernels of packed pixels: they belong to the cores that multiply word by word, and variants run them."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.kernels import packed, words
from dimmer.firmware_gen.kernels.record import Kernel
from tests.firmware_gen.kernels.family import described, settings


def test_every_kernel_that_is_described_is_listed() -> None:
    assert set(packed.KERNELS) == described(packed)
    assert set(packed.KERNELS) < set(words.KERNELS)


@pytest.mark.parametrize("kernel", packed.KERNELS, ids=lambda kernel: kernel.name)
def test_a_variant_runs_it_with_settings_of_its_own(kernel: Kernel) -> None:
    assert settings(kernel) <= {"bounds", "group", "input_bits", "planes", "scratch", "strip", "terms", "way"}
