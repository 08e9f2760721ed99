# SPDX-License-Identifier: Apache-2.0
"""What is read of a linked program, and what is said where it cannot be read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.stack.program import ARM, Program, Symbol
from tests.targets.stack.programs import linked, objdump

pytestmark = pytest.mark.board

TEXT = """
typedef int (*function_t)(int);
int one(int a);
int two(int a);
const function_t table[] = {one, two};
static __attribute__((noinline)) int own(int a) { return a * 3; }
int one(int a) { return own(a) + 1; }
int two(int a) { return own(a) + 2; }
void start(void);
void start(void) { static volatile int sum; sum = table[sum](sum); for (;;) {} }
"""
DISASSEMBLER = objdump("cortex-m4")


@pytest.fixture
def elf(tmp_path: Path) -> Path:
    return linked(tmp_path, "cortex-m4", TEXT)


def test_functions_have_names_places_and_files(elf: Path) -> None:
    program = Program.read(elf, DISASSEMBLER)
    (one,) = program.named("one")
    (own,) = program.named("own", "program.c")
    assert program.named("own", "other.c") == []
    assert (program.machine, one.file, own.file) == (ARM, "", "program.c")
    assert program.function_at(one.address + one.size - 2) == one
    assert program.name_of(one.address + 2) == "one+0x2"
    assert program.name_of(0) == "0x0"
    assert program.function_at(program.entry) == program.named("start")[0]
    assert program.is_code(one.address)
    assert not program.is_code(one.address + 1)


def test_tables_of_functions_are_followed(elf: Path) -> None:
    program = Program.read(elf, DISASSEMBLER)
    table = program.object_named("table")
    assert table is not None
    assert [function.name for function in program.pointers_in(table)] == ["one", "two"]
    assert program.function_of(program.named("one")[0].address) is None, "a pointer to Thumb code is odd"
    assert program.word(0xFFFF_0000) is None


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4", "rv32imac"])
@pytest.mark.board("riscv-virt")
def test_relocations_tell_whose_address_is_held(core: str, tmp_path: Path) -> None:
    text = TEXT.replace("sum = table", "kept = own; sum = table").replace(
        "void start(void);", "int (*volatile kept)(int); void start(void);"
    )
    program = Program.read(linked(tmp_path, core, text), objdump(core))
    assert program.pointers is not None
    assert {function.name for _, function in program.pointers} == {"one", "two", "own"}
    table = program.object_named("table")
    assert table is not None
    assert {place for place, function in program.pointers if function.name == "two"} == {table.address + 4}


@pytest.mark.board("riscv-virt")
def test_a_function_that_begins_with_half_an_address_is_not_held(tmp_path: Path) -> None:
    text = "int number; int first(void); int first(void) { return number; }"
    text += " void start(void); void start(void) { first(); }"
    program = Program.read(linked(tmp_path, "rv32imac", text, ("-O1", "-mno-relax")), objdump("rv32imac"))
    first = program.named("first")[0].address
    assert program.instructions[first].mnemonic == "auipc"
    assert program.pointers == []


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("columns", "columns"),
        ("columns.constprop.0", "columns"),
        ("columns.isra.0.part.1", "columns"),
        ("columns.cold", "columns"),
        ("columns.lto_priv.0", "columns"),
        ("of_4_bits.1", "of_4_bits"),
    ],
)
def test_copies_and_parts_of_a_function_have_its_name(name: str, plain: str) -> None:
    assert Symbol(name, "", 0, 0, is_function=True).plain == plain


def test_instructions_are_apart_from_data(elf: Path) -> None:
    program = Program.read(elf, DISASSEMBLER)
    lines = list(program.instructions.values())
    assert all(line.next == lines[index + 1].address for index, line in enumerate(lines[:-1]))
    assert any(line.is_data and line.mnemonic == ".word" for line in lines)
    assert any(str(line).startswith("bx lr") or "pc}" in line.operands for line in lines)


def test_without_a_disassembler_the_line_says_what_to_install(elf: Path) -> None:
    with pytest.raises(TargetError, match=r"^no-objdump cannot be run \(No such file.*install the package of binutils"):
        Program.read(elf, "no-objdump")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo broken pipe of sorts >&2; exit 3", "ended with status 3: broken pipe of sorts$"),
        ("kill -SEGV $$", "was killed by SIGSEGV: no message$"),
        ("true", r"finds no code in program\.elf"),
        ("printf 'not\\ta\\tdisassembly\\n'", r"finds no code in program\.elf"),
    ],
)
def test_a_disassembler_that_fails_is_named(elf: Path, tmp_path: Path, script: str, why: str) -> None:
    tool = tmp_path / "objdump"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    with pytest.raises(TargetError, match=why) as error:
        Program.read(elf, str(tool))
    assert "\n" not in str(error.value)


def test_files_that_are_no_program_of_a_known_core(elf: Path, tmp_path: Path) -> None:
    (tmp_path / "host.c").write_text("int main(void) { return 0; }")
    subprocess.run(["gcc", "host.c", "-o", "host.elf"], cwd=tmp_path, check=True)
    with pytest.raises(TargetError, match=r"^host\.elf is for EM_\w+: stack is proven of Arm and RISC-V cores alone$"):
        Program.read(tmp_path / "host.elf", "objdump")
    whole = elf.read_bytes()
    for damaged in (b"", b"no ELF file", whole[:60], whole[: len(whole) // 2]):
        elf.write_bytes(damaged)
        with pytest.raises(TargetError, match=r"program\.elf is no ELF file that can be read|finds no code|ended with"):
            Program.read(elf, DISASSEMBLER)
