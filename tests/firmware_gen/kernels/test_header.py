# SPDX-License-Identifier: Apache-2.0
"""The committed headers are those of the descriptions, and C lays records out as the generator packs them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dimmer.firmware_gen.kernels.families import FAMILIES, KERNELS
from dimmer.firmware_gen.kernels.header import headers
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.library import INCLUDE
from tests.firmware_gen.runtime.c_library import compiler


@pytest.mark.parametrize("name", headers())
def test_the_committed_header_is_the_generated_one(name: str) -> None:
    assert (INCLUDE / name).read_text() == headers()[name], "run: python -m firmware_gen.kernel_header"


def test_no_other_header_of_kernels_lies_there() -> None:
    assert {path.name for path in INCLUDE.glob("dimmer_kernels*.h")} == set(headers())


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_every_kernel_has_text_and_prototype(kernel: Kernel) -> None:
    (family,) = (family for family in FAMILIES if kernel in family.kernels)
    text = headers()[family.header]
    words = " ".join(text.replace("\n *", " ").split())
    assert " ".join(kernel.text.split()) in words
    assert f"DIMMER_KERNEL({kernel.name});" in text
    if kernel.scratch:
        assert f"Scratch: {' '.join(kernel.scratch.split())}." in words


def layout(kernel: Kernel) -> Iterator[tuple[str, str]]:
    """What must hold in C of every field of a kernel's record: its place, its type, and nothing between two."""
    offset = 0
    for item in kernel.fields:
        path = item.path or item.name
        where = f"(({kernel.name}_t *)0)->{path}"
        yield f"offsetof({kernel.name}_t, {path}) == {offset} && sizeof({where}) == {item.size}", path
        yield f"_Generic({where}{'[0]' if item.count else ''}, {item.ctype.value}: 1, default: 0)", path
        offset += item.size
    yield f"sizeof({kernel.name}_t) == {offset} && {offset} == {kernel.record_size}", kernel.name


def test_c_lays_records_out_as_the_generator_packs_them(tmp_path: Path) -> None:
    lines = [f'_Static_assert({what}, "{path}");' for kernel in KERNELS for what, path in layout(kernel)]
    source = tmp_path / "layout.c"
    source.write_text("\n".join(("#include <stddef.h>", '#include "dimmer_kernels.h"', *lines)) + "\n")
    command = [compiler("gcc"), "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{INCLUDE}", "-fsyntax-only", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(lines) > 1000
