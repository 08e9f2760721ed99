# SPDX-License-Identifier: Apache-2.0
"""C for several cores: one order of constants, the preprocessor's choice."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.several import common_order
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.memory.share import Constant
from tests.firmware_gen.harness import WARNINGS
from tests.firmware_gen.test_several import ALL, generated


def constants(letters: str) -> list[Constant]:
    return [Constant("weights", "weights", "layer", (1,), 0, 1, (0,), letter.encode()) for letter in letters]


def merged(*pools: str) -> str:
    return b"".join(constant.data for constant in common_order([constants(pool) for pool in pools])).decode()


@pytest.mark.parametrize(
    ("pools", "order"),
    [
        (("abc", "abc"), "abc"),
        (("abc", "axc"), "axbc"),
        (("abc", "xabc", "abcz"), "xabcz"),
        (("ab", "ba"), "ab"),
        (("", "ab"), "ab"),
    ],
)
def test_the_common_order(pools: tuple[str, ...], order: str) -> None:
    assert merged(*pools) == order


@pytest.mark.parametrize("pools", list(itertools.permutations(["abcd", "xbyd", "dcba"])))
def test_every_constant_is_in_it_once(pools: tuple[str, ...]) -> None:
    assert sorted(merged(*pools)) == sorted("abcdxy")


FLAGS = {
    "arm-none-eabi-gcc -mthumb -mcpu=cortex-m55 -mfloat-abi=hard": 0,
    "arm-none-eabi-gcc -mthumb -mcpu=cortex-m55+nomve -mfloat-abi=hard": 1,
    "arm-none-eabi-gcc -mthumb -mcpu=cortex-m33": 1,
    "arm-none-eabi-gcc -mthumb -mcpu=cortex-m33+nodsp": 2,
    "arm-none-eabi-gcc -mthumb -mcpu=cortex-m3": 2,
    "arm-none-eabi-gcc -mthumb -mcpu=cortex-m23": 3,
    "arm-none-eabi-gcc -mthumb -mcpu=cortex-m0plus": 3,
    "riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32 --specs=picolibc.specs": 4,
    "riscv64-unknown-elf-gcc -march=rv32ic -mabi=ilp32 --specs=picolibc.specs": 5,
    "riscv64-unknown-elf-gcc -march=rv64imac -mabi=lp64 --specs=picolibc.specs": 5,
    "gcc": 5,
}


@pytest.mark.board("mps2-an386")
def test_a_core_without_tables_is_told(tmp_path: Path) -> None:
    for file, text in generated(tmp_path, ["cortex-m55", "rv32imc"]).texts.items():
        (tmp_path / file).write_text(text)
    command = ["arm-none-eabi-gcc", "-mthumb", "-mcpu=cortex-m4", "-I", str(INCLUDE), "-fsyntax-only"]
    done = subprocess.run([*command, str(tmp_path / "dimmer_blocks.c")], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    said = "was made for other cores (Arm with Helium, RV32 with M): make it again with --core for this one"
    assert said in done.stderr


@pytest.mark.board("mps2-an386")
@pytest.mark.board("riscv-virt")
def test_compilers_find_their_tables(tmp_path: Path) -> None:
    made = generated(tmp_path, ALL)
    for file, text in made.texts.items():
        (tmp_path / file).write_text(text)
    (tmp_path / "which.c").write_text('#include "dimmer_blocks.h"\nDIMMER_BLOCKS_CORE\n')
    for command, core in FLAGS.items():
        words = [*command.split(), "-Wundef", "-Werror", "-I", str(INCLUDE), "-E", "-P", str(tmp_path / "which.c")]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        assert done.stdout.split()[-1] == str(core), command
        words = [*command.split(), "-std=c99", *WARNINGS, "-fsyntax-only", "-I", str(INCLUDE)]
        subprocess.run([*words, *map(str, tmp_path.glob("dimmer_*.c"))], check=True)
