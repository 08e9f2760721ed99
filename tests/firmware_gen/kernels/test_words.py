# SPDX-License-Identifier: Apache-2.0
"""Kernels of cores that multiply word by word: all are listed, and variants run them."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.kernels import words
from dimmer.firmware_gen.kernels.families import FAMILIES
from dimmer.firmware_gen.kernels.record import Kernel
from tests.firmware_gen.kernels.family import described, settings


def test_every_kernel_that_is_described_is_listed() -> None:
    assert set(words.KERNELS) == described(words)


@pytest.mark.parametrize("kernel", words.KERNELS, ids=lambda kernel: kernel.name)
def test_a_variant_runs_it_with_settings_of_its_own(kernel: Kernel) -> None:
    assert settings(kernel) <= {
        *("bounds", "group", "input_bits", "places", "planes", "scratch", "small", "strip", "subtract", "terms", "way"),
    }


def test_they_are_in_c_that_every_core_runs() -> None:
    (family,) = (family for family in FAMILIES if family.kernels is words.KERNELS)
    assert (family.feature, family.needs) == ("", "")
