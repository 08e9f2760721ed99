# SPDX-License-Identifier: Apache-2.0
"""Families of kernels are the folders of the C library."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.kernels.families import FAMILIES, KERNELS
from dimmer.firmware_gen.kernels.record import Record
from dimmer.firmware_gen.library import RUNTIME


@pytest.mark.parametrize("folder", sorted({family.folder for family in FAMILIES}))
def test_the_families_of_a_folder_have_its_kernels(folder: str) -> None:
    files = {path.stem for path in (RUNTIME / "kernels" / folder).glob("dimmer_*.c")}
    assert {kernel.name for family in FAMILIES if family.folder == folder for kernel in family.kernels} == files


def test_no_two_kernels_have_one_name() -> None:
    assert len({kernel.name for kernel in KERNELS}) == len(KERNELS) > 40


def test_kernels_of_one_record_are_of_one_layout() -> None:
    records: dict[str, Record] = {}
    for kernel in KERNELS:
        assert records.setdefault(kernel.record.name, kernel.record) == kernel.record
