# SPDX-License-Identifier: Apache-2.0
"""Compiling: each source by itself, through ccache where it is installed."""

from __future__ import annotations

import ctypes
import dataclasses
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from dimmer.targets import load_target
from dimmer.targets.kit.errors import OverflowedError, TargetError
from dimmer.targets.kit.toolchain import (
    ENTRIES,
    compile_library,
    compile_objects,
    compiler_of,
    objdump_of,
    overflowed,
    section_sizes,
)
from tests.boards import small_board
from tests.firmware_gen.runtime.c_library import compiler


def sources(folder: Path, *texts: str) -> list[Path]:
    made = []
    for number, text in enumerate(texts):
        made.append(folder / f"part_{number}" / "same_name.c")
        made[-1].parent.mkdir(parents=True)
        made[-1].write_text(text)
    return made


def test_sources_of_one_name_become_objects_in_their_order(tmp_path: Path) -> None:
    files = sources(tmp_path, "int one = 1;\n", "int two = 2;\n")
    first, second = compile_objects([compiler("gcc"), "-Wall"], files, tmp_path, tmp_path)
    assert b"one" in first.read_bytes()
    assert b"two" in second.read_bytes()


def test_a_changed_header_is_seen_behind_the_cache(tmp_path: Path) -> None:
    (file,) = sources(tmp_path, '#include "value.h"\nint value = VALUE;\n')
    objects = []
    for value in (17, 23, 17):
        (tmp_path / "value.h").write_text(f"#define VALUE {value}\n")
        (made,) = compile_objects([compiler("gcc"), "-I."], [file], tmp_path, tmp_path)
        objects.append(made.read_bytes())
    assert objects[0] == objects[2] != objects[1]


@pytest.mark.parametrize("cached", [True, False])
def test_an_error_names_the_compiler_not_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cached: bool
) -> None:
    command = [compiler("gcc")]
    found = shutil.which
    if cached and not found("ccache"):
        pytest.skip("needs sudo apt-get install ccache")
    monkeypatch.setattr(shutil, "which", lambda name: found(name) if cached or name != "ccache" else None)
    (file,) = sources(tmp_path, "int f(void) { return missing; }\n")
    with pytest.raises(TargetError, match=r"gcc failed: .*missing") as caught:
        compile_objects(command, [file], tmp_path, tmp_path)
    assert "ccache" not in str(caught.value)


def test_libraries_in_one_process_keep_their_symbols_apart(tmp_path: Path) -> None:
    toolchain = load_target("host").toolchain
    shared = 'int number(void);\n__attribute__((visibility("default"))) int ask(void) { return number(); }\n'
    (tmp_path / "ask.c").write_text(shared)
    for value in (1, 2):
        (tmp_path / f"{value}.c").write_text(f"int number(void);\nint number(void) {{ return {value}; }}\n")
        compile_library(toolchain, [tmp_path / "ask.c", tmp_path / f"{value}.c"], [], tmp_path / f"{value}.so")
    libraries = [ctypes.CDLL(str(tmp_path / f"{value}.so")) for value in (1, 2)]
    assert [library.ask() for library in libraries] == [1, 2]
    assert not hasattr(libraries[0], "number")
    with pytest.raises(TargetError, match=r"^\w+ failed: .*none\.c"):
        compile_library(toolchain, [tmp_path / "none.c"], [], tmp_path / "3.so")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.c", "1.so", "2.c", "2.so", "ask.c"]


def test_two_threads_make_one_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both had copied theirs under one name before either renamed it, and the second found none."""
    source, library, copy, together = tmp_path / "one.c", tmp_path / "one.so", shutil.copyfile, Barrier(2, timeout=60)
    source.write_text("int one(void) { return 1; }\n")

    def wait(made: Path, beside: Path) -> None:
        copy(made, beside)
        together.wait()

    monkeypatch.setattr(shutil, "copyfile", wait)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(compile_library, load_target("host").toolchain, [source], [], library) for _ in range(2)]
        for one in both:
            one.result()
    ctypes.CDLL(str(library))
    assert library.stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.c", "one.so"]


def test_the_compiler_is_the_first_that_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    toolchain = load_target("host").toolchain
    wanted = dataclasses.replace(toolchain, compilers=("no-such-cc", "gcc"))
    assert compiler_of(wanted) == "gcc"
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(TargetError, match=r"^gcc not found: install it with 'sudo apt-get install gcc'$"):
        compiler_of(toolchain)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("ld: region `FLASH' overflowed by 1234 bytes\ncollect2: error: ld returned 1", {"flash": 1234}),
        ("region 'RAM' overflowed by 8 bytes\nregion `FLASH' overflowed by 9 bytes", {"ram": 8, "flash": 9}),
        ("ld: a.elf section `.text' will not fit in region `FLASH'\n", {"flash": None}),
        (
            "ld: a.elf section `.text' will not fit in region `FLASH'\nld: region `FLASH' overflowed by 64 bytes\n",
            {"flash": 64},
        ),
        ("ld: the arena and the stack do not fit into RAM\n", {"ram": None}),
        ("main.c:3: error: stack overflowed", {}),
    ],
)
def test_what_a_linker_says_of_regions(said: str, found: dict[str, int | None]) -> None:
    assert overflowed(said) == found


@pytest.mark.board
def test_a_second_program_keeps_what_nothing_calls_and_is_linked_though_it_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int unused(int a);\nint unused(int a) { return a; }\nint main(void) { return 0; }\n")
    board = load_target("mps2-an386")
    elf = board.compile([tmp_path / "a.c"], [], tmp_path / "out", entries=["unused", "no_such_function"])
    kept = section_sizes(tmp_path / "out" / ENTRIES).by_symbol
    assert "unused" in kept
    assert "unused" not in section_sizes(elf).by_symbol
    with pytest.raises(OverflowedError):
        small_board(tmp_path, 256, 1 << 20).compile([tmp_path / "a.c"], [], tmp_path / "small", entries=["unused"])
    assert "unused" in section_sizes(tmp_path / "small" / ENTRIES).by_symbol
    board.compile([tmp_path / "a.c"], [], tmp_path / "without")
    assert not (tmp_path / "without" / ENTRIES).exists()


def tool(folder: Path, said: str) -> str:
    """A compiler that says where its disassembler is."""
    path = folder / "some-gcc"
    path.write_text(f"#!/bin/sh\necho {said}\n")
    path.chmod(0o755)
    return str(path)


def test_the_disassembler_is_the_compilers_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toolchain = load_target("host").toolchain
    assert shutil.which(objdump_of(toolchain)) is not None
    assert objdump_of(dataclasses.replace(toolchain, objcopy="/usr/bin/objcopy")) == "/usr/bin/objdump"
    strange = dataclasses.replace(toolchain, compilers=(tool(tmp_path, "/no/objdump"),))
    with pytest.raises(TargetError, match=r"^/no/objdump not found, which comes with .*some-gcc: install its binutils"):
        objdump_of(strange)
    silent = dataclasses.replace(toolchain, compilers=(tool(tmp_path, ""),))
    with pytest.raises(TargetError, match=r"^objdump not found, which comes with"):
        objdump_of(silent)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(TargetError, match=r"^gcc not found: install it"):
        objdump_of(toolchain)
