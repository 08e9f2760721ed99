# SPDX-License-Identifier: Apache-2.0
"""The library keeps to its rooms: what includes what, what files are called, how the names that others see begin."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import (
    INCLUDE,
    RUNTIME,
    engine_sources,
    feature_sources,
    kernel_sources,
    npu_sources,
    sources,
)
from dimmer.targets.kit.toolchain import compile_objects
from tests.firmware_gen.runtime.c_library import STRICT, compiler, output_of

ROOMS = ("common", "portable", "words", "dsp", "helium")
FILES = sorted(path for path in RUNTIME.rglob("*.[ch]"))
HEADERS = [path for path in FILES if path.suffix == ".h"]
DRIVER = "ethosu_driver"
"""Arm's, of the NPU: its header comes from the user's board package."""
PUBLIC = [path for path in HEADERS if path.parent == INCLUDE]


def name_of(path: Path) -> str:
    return str(path.relative_to(RUNTIME))


def included(path: Path) -> list[Path]:
    """The library's headers that a file includes, found as the compiler finds them."""
    found = []
    for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.MULTILINE):
        if name == f"{DRIVER}.h":
            continue
        places = [folder / name for folder in (path.parent, INCLUDE) if (folder / name).is_file()]
        assert places, f"{name_of(path)} includes {name}, which is nowhere"
        found.append(places[0].resolve())
    return found


def test_the_library_has_five_folders_and_a_readme() -> None:
    assert {path.name for path in RUNTIME.iterdir()} == {"include", "src", "kernels", "features", "npu", "README.md"}
    assert {path.name for path in (RUNTIME / "kernels").iterdir()} == set(ROOMS)
    compiled = [*sources(), *feature_sources(), *(path for path in npu_sources() if path.parent.name == "npu")]
    assert sorted(compiled) == [path for path in FILES if path.suffix == ".c"]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_room_includes_itself_and_what_lies_below_it(path: Path) -> None:
    allowed = {path.parent, INCLUDE}
    if path.parent.name in ROOMS:
        allowed.add(RUNTIME / "kernels" / "common")
    if path.parent.name in ("words", "dsp", "helium"):
        allowed.add(RUNTIME / "kernels" / "portable")
    for header in included(path):
        assert header.suffix == ".h"
        assert header.parent in allowed, f"{name_of(path)} includes {name_of(header)}"


@pytest.mark.parametrize("path", sorted((RUNTIME / "kernels" / "common").glob("*.h")), ids=name_of)
def test_a_common_header_has_users_in_two_rooms(path: Path) -> None:
    users = rooms_of_users(path)
    assert len(users) > 1, f"only {users} includes it: it belongs there"


def rooms_of_users(path: Path) -> set[str]:
    """Rooms that include a header, themselves or by another common one."""
    rooms: set[str] = set()
    for user in kernel_sources() + HEADERS:
        if path in included(user):
            rooms |= rooms_of_users(user) if user.parent.name == "common" else {user.parent.name}
    return rooms


def test_no_two_files_have_one_name() -> None:
    """Object files of one folder are called after them."""
    assert [name for name, count in Counter(path.name for path in FILES).items() if count > 1] == []


@pytest.mark.parametrize("path", kernel_sources(), ids=name_of)
def test_a_kernel_and_its_file_have_one_name(path: Path) -> None:
    signature = r"^void (\w+)\(const dimmer_model_t \*model, const void \*record, uint8_t \*arena\) \{$"
    kernels = re.findall(signature, path.read_text(), re.MULTILINE)
    assert kernels == ([path.stem] if path.name.startswith("dimmer_") else [])


@pytest.mark.parametrize("path", [path for path in kernel_sources() if path.stem.startswith("dimmer_")], ids=name_of)
def test_every_kernel_states_what_it_requires(path: Path) -> None:
    begin = r"\(const dimmer_model_t \*model, const void \*record, uint8_t \*arena\) \{\n"
    assert re.search(begin + r"    dimmer_require\(model, record, arena\);\n", path.read_text())


def test_only_kernels_that_are_named_are_compiled_and_all_that_they_share() -> None:
    named = {path.name for path in kernel_sources(["dimmer_copy_s8"])}
    assert {name for name in named if name.startswith("dimmer_")} == {"dimmer_copy_s8.c"}
    assert named >= {path.name for path in kernel_sources() if not path.name.startswith("dimmer_")}
    assert sources(["dimmer_copy_s8"]) == engine_sources() + kernel_sources(["dimmer_copy_s8"])


def check_alone(command: list[str], header: str, source: Path) -> None:
    source.write_text(f'#include "{header}"\nint main() {{ return 0; }}\n')
    words = [*command, f"-I{INCLUDE}", "-fsyntax-only", str(source)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", HEADERS, ids=name_of)
def test_every_header_compiles_alone(tmp_path: Path, path: Path) -> None:
    check_alone([compiler("gcc"), *STRICT, "-Wno-unused-function"], str(path), tmp_path / "use.c")


@pytest.mark.parametrize("path", PUBLIC, ids=name_of)
@pytest.mark.parametrize("standard", ["c++98", "c++17"])
def test_public_headers_are_for_cxx_too(tmp_path: Path, path: Path, standard: str) -> None:
    command = [compiler("g++"), f"-std={standard}", "-Wall", "-Wextra", "-Wundef", "-Werror"]
    check_alone(command, path.name, tmp_path / "use.cpp")


@pytest.mark.parametrize("path", PUBLIC, ids=name_of)
def test_public_names_begin_with_dimmer(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    macros = re.findall(r"^#define (\w+)", text, re.MULTILINE)
    types = re.findall(r"^\} (\w+);|^typedef [^{]*?(\w+)(?:\[[^;]*)?;|^(?:struct|enum|union) (\w+)", text, re.MULTILINE)
    constants = re.findall(r"^enum \{(.*?)\}|^typedef enum \{(.*?)\}", text, re.MULTILINE | re.DOTALL)
    functions = re.findall(r"^(?:static inline |extern )?\w[\w ]*[ *](\w+)\(", text, re.MULTILINE)
    assert path.name.startswith("dimmer")
    # Its guard is one macro.
    assert types or functions or included(path) or len(macros) > 1 or "#pragma" in text
    for name in [*macros, *re.findall(r"\b[A-Z]\w*", " ".join(a or b for a, b in constants))]:
        assert name.startswith("DIMMER_"), name
    for name in ["".join(group) for group in types] + functions:
        assert name == DRIVER or re.match(r"dimmer(_|$)", name), name


def globals_of(nm: str, file: Path) -> list[str]:
    """Names that an object file defines for others."""
    listed = output_of(nm, "-g", "--defined-only", file).splitlines()
    return [line.split()[2] for line in listed if len(line.split()) == 3]


def check_globals(nm: str, files: list[Path]) -> None:
    for file in files:
        names = globals_of(nm, file)
        assert all(name.startswith("dimmer_") for name in names), f"{file.stem}: {names}"
        if file.stem.startswith("dimmer_"):
            assert set(names) <= {file.stem}, f"{file.stem}: {names}"


@pytest.mark.slow
def test_globals_on_the_host_begin_with_dimmer(tmp_path: Path) -> None:
    # The very command of test_build.py, so that ccache knows it.
    made = compile_objects([compiler("gcc"), *STRICT, "-fPIC", f"-I{INCLUDE}"], sources(), tmp_path, tmp_path)
    files = [path.rename(tmp_path / f"{source.stem}.o") for path, source in zip(made, sources(), strict=True)]
    check_globals("nm", files)
    assert [globals_of("nm", file) for file in files if file.stem == "dimmer_copy_s8"] == [["dimmer_copy_s8"]]


@pytest.mark.board
def test_globals_of_instruction_sets_begin_with_dimmer(objects: tuple[str, list[Path]]) -> None:
    check_globals("arm-none-eabi-nm", objects[1])
