"""The generator's idea of the kernels' records is that of the C header."""

from __future__ import annotations

import re

import pytest

from dimmer.firmware_gen.emit.tables import ABI
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.lower.records import KERNELS
from dimmer.firmware_gen.lower.steps import Kernel

HEADER = (INCLUDE / "dimmer_kernels.h").read_text()
CODES = {"uint32_t": "I", "int32_t": "i", "uint16_t": "H", "int16_t": "h", "uint8_t": "B", "int8_t": "b", "float": "f"}


def c_fields(record: str) -> list[tuple[str, str, int]]:
    """Name, struct code and array length of each field of a C record."""
    alias = re.search(rf"typedef (\w+)_t {record}_t;", HEADER)
    if alias:
        return c_fields(alias.group(1))
    end = HEADER.index(f"}} {record}_t;")
    body = HEADER[HEADER.rindex("typedef struct {", 0, end) : end]
    fields = []
    for ctype, name, count in re.findall(r"^\s*(\w+) (\w+)(?:\[(\d+)\])?;", body, re.MULTILINE):
        if ctype in CODES:
            fields.append((name, CODES[ctype], int(count or 0)))
        else:
            fields += c_fields(ctype.removesuffix("_t"))
    return fields


def c_size(record: str) -> int:
    """Bytes of a C record; one that holds others says so."""
    found = re.search(rf"DIMMER_CHECK_SIZE\({record}_t,\s+(.+)\);", HEADER)
    assert found is not None
    parts = found.group(1).split(" + ")
    return sum(c_size(part[len("sizeof(") : -len("_t)")]) if part.startswith("sizeof") else int(part) for part in parts)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_records_have_the_fields_of_the_header(kernel: Kernel) -> None:
    names = [(field.path or field.name).split(".")[-1] for field in kernel.fields]
    fields = [(name, field.code, field.count) for name, field in zip(names, kernel.fields, strict=True)]
    assert fields == c_fields(kernel.name)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_records_have_the_size_that_the_header_checks(kernel: Kernel) -> None:
    alias = re.search(rf"typedef (\w+)_t {kernel.name}_t;", HEADER)
    record = alias.group(1) if alias else kernel.name
    assert kernel.record_size == c_size(record)
    assert kernel.record_size % 4 == 0


def test_the_abi_is_that_of_the_header() -> None:
    version = re.search(r"#define DIMMER_ABI (\d+)", (INCLUDE / "dimmer.h").read_text())
    assert version is not None
    assert int(version.group(1)) == ABI
