# SPDX-License-Identifier: Apache-2.0
"""Names come from files and may be anything: keywords, digits, 200 letters, other scripts, paths. What is generated
compiles, as C and as C++, many models in one program; what cannot be told apart is refused by the files' names.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from dimmer.firmware_gen.emit import header
from dimmer.firmware_gen.emit import source as emit
from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import generate, tables_of
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.image.order import foreign_order
from tests.firmware_gen.emit.nasty import NASTY
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.networks import tiny_resnet

KEYWORDS = [
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "typedef",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "_Bool",
    "_Complex",
    "_Imaginary",
    "asm",
    "class",
    "delete",
    "new",
    "namespace",
    "private",
    "public",
    "template",
    "this",
    "throw",
    "try",
    "typename",
    "using",
    "virtual",
    "alignas",
    "constexpr",
    "decltype",
    "export",
    "friend",
    "mutable",
    "nullptr",
    "operator",
    "and",
    "or",
    "not",
    "xor",
    "co_await",
    "concept",
    "requires",
    "main",
    "NULL",
    "errno",
    "stdin",
    "INT8_MAX",
    "uint8_t",
    "linux",
    "unix",
    "__arm__",
    "__FILE__",
    "MODE_COUNT",
    "count",
    "mode",
    "h",
    "c",
    "model",
]
PATHS = (
    "../../etc/passwd",
    "..",
    ".",
    "/",
    "~",
    "a/b",
    "a\\b",
    "C:\\x",
    "-o",
    "con",
    "nul",
    " ",
    "a b",
    "'; rm -rf /",
    "`x`",
)
SCRIPTS = (
    "Größe",
    "日本語",
    "العربية",
    "emoji😀",
    "\u202eevil",
    "é",
    "e\u0301",
    "ﬁ",
    "\ud800",
    "İ",
    "ß",
    "1",
    "42",
    "0x10",
)
LENGTHS = ("x" * 200, "x" * 199 + "y", "a_" * 100, "_" * 200, "9" * 200, "x" * 40, "x" * 41)


def random_names(count: int, seed: int) -> list[str]:
    random = Random(seed)
    letters = "abXY019_-. ./\\+é日\n\"'%$*?{}#"
    return ["".join(random.choices(letters, k=random.randrange(1, 12))) for _ in range(count)]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return tables_of(write_modes(tmp_path_factory.mktemp("modes")), PolicyConfig())


def compile_all(folder: Path, tables: Tables, titles: list[str], modes: list[tuple[str, str, str]]) -> None:
    """Every title as a model with three of the mode names, all in one translation unit."""
    own: dict[str, str] = {}
    for number, title in enumerate(titles):
        names = names_of(title)
        if names.symbol in own:
            # Names that differ in punctuation alone; a program of both is refused by the linker, under the symbol.
            continue
        own[names.symbol] = title
        made = replace(tables, mode_names=modes[number % len(modes)])
        (folder / names.header).write_text(header.emit_header(made, names))
        (folder / names.source).write_text(emit.emit_source(made, names, ""))
    assert len(own) > len(titles) // 3
    (folder / "all.c").write_text("".join(f'#include "{symbol}.c"\n' for symbol in own))
    (folder / "all.cpp").write_text("".join(f'#include "{symbol}.h"\n' for symbol in own))
    for compiler, standard, file in (("gcc", "-std=c99", "all.c"), ("g++", "-std=c++17", "all.cpp")):
        flags = [standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{INCLUDE}", f"-I{folder}", "-fsyntax-only"]
        done = subprocess.run([compiler, *flags, str(folder / file)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[:2000]


def three(names: list[str]) -> list[tuple[str, str, str]]:
    """Mode names in threes that differ."""
    found = list(dict.fromkeys(names))
    return [(a, b, c) for a, b, c in zip(found[::3], found[1::3], found[2::3], strict=False)]


def test_every_kind_of_name_compiles(tables: Tables, tmp_path: Path) -> None:
    names = [*KEYWORDS, *PATHS, *SCRIPTS, *LENGTHS, *NASTY]
    compile_all(tmp_path, tables, names, three(names))


def test_random_names_compile(tables: Tables, tmp_path: Path) -> None:
    compile_all(tmp_path, tables, random_names(60, 0), three(random_names(180, 1)))


@pytest.mark.slow
def test_a_thousand_random_names_compile(tables: Tables, tmp_path: Path) -> None:
    compile_all(tmp_path, tables, random_names(1000, 2), three(random_names(3000, 3)))


def test_case_and_punctuation_do_not_make_one_enumerator_of_two(tables: Tables, tmp_path: Path) -> None:
    modes = [("x", "x_id2", "X"), ("X", "x", "x_id1"), ("a-b", "a.b", "a b"), ("count", "COUNT", "_count_")]
    compile_all(tmp_path, tables, ["one", "two", "three", "four"], modes)


def test_two_files_of_one_name_are_refused_by_both_paths(tmp_path: Path) -> None:
    whole = write_modes(tmp_path)[0]
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "888.tflite"
    other.write_bytes(whole.path.read_bytes())
    with pytest.raises(FirmwareGenError) as failure:
        generate([ModeSource("888", whole.path), ModeSource("888", other)], tmp_path / "out")
    told = str(failure.value)
    assert told == f"{whole.path} and {other} are both called mode 888; rename one of the files"
    with pytest.raises(FirmwareGenError, match=r"888\.tflite is given twice; name each file once"):
        generate([ModeSource("888", whole.path), ModeSource("888", whole.path)], tmp_path / "out")


@pytest.mark.parametrize("name", ["...tflite", "....tflite", ".tflite"])
def test_a_file_of_dots_stays_within_the_build_folder(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(tiny_resnet())
    assert foreign_order([path]).name.strip(".") not in ("", "..")
