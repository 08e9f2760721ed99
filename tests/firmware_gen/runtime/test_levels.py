# SPDX-License-Identifier: Apache-2.0
"""Library and generated model compile, and compute the same, whatever a program of somebody else's is compiled with."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, feature_sources, sources
from dimmer.firmware_gen.variants import features_of
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import Target, load_target
from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.toolchain import compile_objects, section_sizes
from tests.boards import BOARDS, at_level, rest_slow
from tests.firmware_gen.networks import tiny_resnet
from tests.firmware_gen.runtime.c_library import STRICT, compiler, kernels_of, output_of
from tests.tiny import silent

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
LEVELS = ("-O0", "-Og", "-O1", "-O2", "-O3", "-Os")
FRAME, ENUMS, KEPT = "-fno-omit-frame-pointer", "-fshort-enums", "-ffixed-r9"
FEWER = f"{FRAME} {ENUMS} {KEPT}"
"""A register less each: that of the frame, and one that a system keeps for itself. clang says where a statement takes
one that is kept."""

DSP_BOARDS = [board for board in BOARDS if "dsp" in features_of(load_target(board).core)]
SYSTEM_HEADERS = {"arm-none-eabi": "/usr/lib/arm-none-eabi/include"}
SYSTEM_HEADERS["riscv32-none-elf"] = "/usr/lib/picolibc/riscv64-unknown-elf/include"
MERGED = {"gcc": LEVELS[1:], "clang": ("-O3", "-Os")}
"""At -O0 nothing moves from file to file."""
ASSEMBLY = re.compile(r"\basm\b|\b__asm\b|\b__asm__\b")


def is_arm(board: str) -> bool:
    return load_target(board).toolchain.compilers[0] == "arm-none-eabi-gcc"


def marks_of(board: str, always: bool = False) -> list[pytest.MarkDecorator]:
    marks = [] if board == "host" else [pytest.mark.board(board)]
    return marks if always else [*marks, pytest.mark.slow]


def every_file() -> Iterator[object]:
    """Core, compiler and flags: few of them always, the others marked as slow.

    Options that take registers away matter where a file has assembly: those cases are `assembly_files`. C alone has
    them, all at once, at one level.
    """
    for board, name in itertools.product(("host", *BOARDS), ("gcc", "clang")):
        fewer = FEWER if is_arm(board) else f"{FRAME} {ENUMS}"
        # Where gcc at -O2 finds a register too few in a file with assembly, -O1 has as much C.
        for flags in (*LEVELS, f"-O1 {fewer}"):
            yield pytest.param(
                board, name, flags, marks=marks_of(board, (board, name, flags) == ("host", "gcc", "-O0"))
            )


def assembly_files() -> Iterator[object]:
    """Core, compiler and flags that leave assembly fewer registers; without those that a compiler has anyhow, as
    `test_what_is_left_out_is_in_force` shows.
    """
    for board, name, level in itertools.product(BOARDS, ("gcc", "clang"), LEVELS):
        for options in (FRAME, ENUMS, KEPT, FEWER) if is_arm(board) else (FRAME, ENUMS, f"{FRAME} {ENUMS}"):
            if (name, options) == ("gcc", ENUMS) and is_arm(board):
                continue
            if (name, level, options) == ("gcc", "-O0", FRAME):
                continue
            # One is a register too many for Helium's dense kernel in gcc: README of the runtime.
            if (board, name, options) == ("mps3-an547", "gcc", FEWER) and level in ("-O2", "-O3"):
                continue
            yield pytest.param(board, name, f"{level} {options}", marks=marks_of(board))


def merged() -> Iterator[object]:
    for board, name in itertools.product(("host", *BOARDS), ("gcc", "clang")):
        for level in MERGED[name]:
            yield pytest.param(board, name, level, marks=marks_of(board))


def command_of(target: Target, name: str) -> list[str]:
    """The compiler with the flags that say which core; skips the test where it is absent."""
    flags = [flag for flag in target.toolchain.flags if flag.startswith("-m") or name == "gcc"]
    if target.memory is None or name == "gcc":
        return [compiler(name if target.memory is None else target.toolchain.compilers[0]), *flags]
    triple = "riscv32-none-elf" if target.core.startswith("rv") else "arm-none-eabi"
    flags = [flag for flag in flags if flag != "-masm-syntax-unified"]
    return [compiler(name), f"--target={triple}", "-isystem", SYSTEM_HEADERS[triple], *flags]


def compiled(board: str, name: str, options: str, files: list[Path], folder: Path) -> list[Path]:
    """The object files, in the files' order."""
    words = [*command_of(load_target(board), name), *(flag for flag in STRICT if flag != "-O2"), *options.split()]
    made = compile_objects([*words, f"-I{INCLUDE}", f"-I{GOLDEN}"], files, folder, folder)
    assert all(path.is_file() for path in made)
    assert len(made) == len(files)
    return made


def all_files() -> list[Path]:
    """Library, features and a model."""
    return [*sources(), *feature_sources(), *sorted(GOLDEN.glob("*.c"))]


@cache
def files_with_assembly(board: str, name: str) -> list[Path]:
    """Those of which this core gets assembly, their headers' included."""
    command = [*command_of(load_target(board), name), "-std=c99", f"-I{INCLUDE}", f"-I{GOLDEN}", "-E", "-P"]
    return [path for path in all_files() if ASSEMBLY.search(output_of(*command, path))]


def succeed(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("board", "name", "options"), list(every_file()))
def test_everything_compiles(tmp_path: Path, board: str, name: str, options: str) -> None:
    compiled(board, name, options, all_files(), tmp_path)


@pytest.mark.parametrize(("board", "name", "options"), list(assembly_files()))
def test_assembly_does_with_fewer_registers(tmp_path: Path, board: str, name: str, options: str) -> None:
    files = files_with_assembly(board, name)
    assert files
    compiled(board, name, options, files, tmp_path)


@pytest.mark.parametrize(("board", "name", "level"), list(merged()))
def test_everything_compiles_as_one(tmp_path: Path, board: str, name: str, level: str) -> None:
    """With -flto a compiler writes no machine code yet: it does when the files are merged."""
    objects = compiled(board, name, f"{level} -flto", all_files(), tmp_path)
    # picolibc's specs bring a linker script, which is for programs.
    core = [word for word in command_of(load_target(board), name) if not word.startswith("--specs")]
    made = tmp_path / "merged.o"
    if name == "gcc":
        succeed(*core, level, "-flto", "-r", "-nostdlib", "-flinker-output=nolto-rel", *objects, "-o", made)
    else:
        if not shutil.which("llvm-link"):
            pytest.skip("llvm-link is not installed: Debian's package llvm")
        whole = tmp_path / "merged.bc"
        succeed("llvm-link", *objects, "-o", whole)
        core = [word for word in core if word not in SYSTEM_HEADERS.values() and word != "-isystem"]
        succeed(*core, level, "-c", "-x", "ir", whole, "-o", made)
    sizes = section_sizes(made)
    assert {"dimmer_invoke", "dimmer_conv2d_s8", "dimmer_golden"} <= set(sizes.by_symbol)
    assert sizes.text > 20_000


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize("board", [board for board in BOARDS if is_arm(board)])
def test_what_is_left_out_is_in_force(tmp_path: Path, board: str) -> None:
    """On Arm gcc has enums as short as -fshort-enums makes them."""
    source = tmp_path / "enums.c"
    source.write_text("enum one { ONE };\ntypedef char short_enums[sizeof(enum one) == 1 ? 1 : -1];\n")
    compile_objects([*command_of(load_target(board), "gcc")], [source], tmp_path, tmp_path)


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize("board", BOARDS)
def test_without_optimisation_there_are_frames(board: str) -> None:
    command = [*command_of(load_target(board), "gcc"), "-O0"]

    def settings(*options: str) -> list[str]:
        lines = output_of(*command, *options, "-Q", "--help=common", "--help=optimizers", "--help=target").splitlines()
        # The name of a temporary file.
        return [line for line in lines if not line.startswith("  -o <file>")]

    assert settings() == settings(FRAME)
    assert settings("-O1") != settings("-O1", FRAME)


CXX: dict[str, list[pytest.MarkDecorator]] = {"g++": [], "clang++": [pytest.mark.slow]}
CXX["arm-none-eabi-g++ -mthumb -mcpu=cortex-m4"] = [pytest.mark.board, pytest.mark.slow]
CXX["arm-none-eabi-g++ -mthumb -mcpu=cortex-m0"] = [pytest.mark.board, pytest.mark.slow]
CXX["arm-none-eabi-g++ -mthumb -mcpu=cortex-m55 -mfloat-abi=hard"] = [pytest.mark.board, pytest.mark.slow]


@pytest.mark.slow
@pytest.mark.parametrize("command", [pytest.param(name, marks=marks) for name, marks in CXX.items()])
def test_the_library_is_cxx_too(tmp_path: Path, command: str) -> None:
    words = [*command.split(), "-x", "c++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Werror"]
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    compile_objects([*words, f"-I{INCLUDE}"], sources(), tmp_path, tmp_path)


@pytest.mark.slow
@pytest.mark.board
def test_portable_kernels_need_no_assembly(tmp_path: Path) -> None:
    """What IAR can compile, seen by another compiler that is told to be IAR."""
    command = [*command_of(load_target("mps2-an386"), "gcc"), "-std=c99", "-O2", "-D__ICCARM__", f"-I{INCLUDE}"]
    plain = [path for path in sources() if path.parent.name in ("src", "portable")]
    assert not [path.name for path in plain if "asm" in path.read_text() or "__attribute__" in path.read_text()]
    made = compile_objects(command, plain, tmp_path, tmp_path)
    symbols = output_of("arm-none-eabi-nm", "--defined-only", *made)
    assert "T dimmer_dot_2x2" in symbols
    assert "T dimmer_walk_four" in symbols
    with pytest.raises(TargetError, match=r"with IAR compile src/ and kernels/portable/"):
        compile_objects(command, [path for path in sources() if path.name == "direct_dsp.c"], tmp_path, tmp_path)


def test_tables_say_that_they_are_c(tmp_path: Path) -> None:
    words = [compiler("g++"), "-x", "c++", "-std=c++17", f"-I{INCLUDE}"]
    with pytest.raises(
        TargetError, match=r"these tables are C: give this file to a C compiler; dimmer_golden\.h is for"
    ):
        compile_objects(words, [GOLDEN / "dimmer_golden.c"], tmp_path, tmp_path)


def runs(boards: list[str], short: tuple[tuple[str, str], ...]) -> Iterator[object]:
    """Board and flags: few of them always, the others marked as slow."""
    for board, options in itertools.product(boards, (*LEVELS, "-O3 -flto", "-Os -flto", "-Og " + FEWER)):
        if "-ffixed-r9" in options and load_target(board).toolchain.compilers[0] != "arm-none-eabi-gcc":
            continue
        marks = [pytest.mark.board(board)]
        marks += [] if (board, options) in short else [pytest.mark.slow]
        yield pytest.param(board, options, marks=marks)


FIRMWARE = (("mps2-an386", "-O3 -flto"),)


@pytest.mark.slow
@pytest.mark.parametrize(("board", "options"), list(runs(BOARDS, FIRMWARE)))
def test_a_firmware_is_exact_and_counted(tmp_path: Path, board: str, options: str) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    made = make(foreign_order([path], samples=3), at_level(board, options), tmp_path / "out", silent)
    assert made.mismatches == 0
    assert made.modes[0].instructions
    assert made.switch.instructions is not None
    # The call, the comparison, the store, the way back and the loop: not what a linker leaves of it.
    assert 4 <= made.switch.instructions <= 40


@pytest.mark.parametrize(("board", "options"), list(runs(DSP_BOARDS, (("mps2-an386", "-O0"),))))
@pytest.mark.parametrize(
    "program",
    rest_slow(
        ["inner_loops_test.c", "conv_variants_test.c", "narrow_variants_test.c", "scaled_variants_test.c"],
        "inner_loops_test.c",
        "conv_variants_test.c",
    ),
)
def test_assembly_computes_what_c_does(tmp_path: Path, board: str, options: str, program: str) -> None:
    target = at_level(board, options)
    source = Path(__file__).with_name(program)
    elf = target.compile([source, *kernels_of(target.core)], [INCLUDE, INCLUDE.parent], tmp_path)
    assert target.run(elf, [], tmp_path).returncode == 0
