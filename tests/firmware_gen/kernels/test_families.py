# SPDX-License-Identifier: Apache-2.0
"""Families of kernels are the folders of the C library."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.kernels.families import FAMILIES, KERNELS, Family
from dimmer.firmware_gen.kernels.record import Record
from dimmer.firmware_gen.library import RUNTIME


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_has_the_kernels_of_its_folder(family: Family) -> None:
    files = {path.stem for path in (RUNTIME / "kernels" / family.name).glob("dimmer_*.c")}
    assert {kernel.name for kernel in family.kernels} == files


def test_no_two_kernels_have_one_name() -> None:
    assert len({kernel.name for kernel in KERNELS}) == len(KERNELS) > 40


def test_kernels_of_one_record_are_of_one_layout() -> None:
    records: dict[str, Record] = {}
    for kernel in KERNELS:
        assert records.setdefault(kernel.record.name, kernel.record) == kernel.record
