# SPDX-License-Identifier: Apache-2.0
"""A core's name tells which kernels it gets."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE, kernel_sources
from dimmer.firmware_gen.variants import features_of
from dimmer.firmware_gen.variants.cores import FEATURES, KINDS, kind_of
from dimmer.targets.kit.toolchain import compile_objects
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.runtime.c_library import STRICT, compiler, output_of
from tests.firmware_gen.runtime.test_levels import SYSTEM_HEADERS

M85 = "-mthumb -march=armv8.1-m.main+mve.fp+fp.dp -mfloat-abi=hard"
"""The architecture, since gcc 12 and clang 14 do not know the core by its name."""
ARM, ARM_CLANG = "arm-none-eabi-gcc", "clang --target=arm-none-eabi"
RISCV, RISCV_CLANG = "riscv64-unknown-elf-gcc --specs=picolibc.specs", "clang --target=riscv32-none-elf"
USERS_CORES = {
    "cortex-m85": [f"{ARM} {M85}", f"{ARM_CLANG} {M85}"],
    "cortex-m55+nomve": [f"{ARM} -mthumb -mcpu=cortex-m55+nomve -mfloat-abi=hard"],
    "cortex-m33+nodsp": [f"{ARM} -mthumb -mcpu=cortex-m33+nodsp"],
    "cortex-m23": [f"{ARM} -mthumb -mcpu=cortex-m23"],
    "rv32imc": [f"{RISCV} -march=rv32imc -mabi=ilp32"],
    "rv32imac_zba_zbb": [
        f"{RISCV} -march=rv32imac_zba_zbb -mabi=ilp32",
        f"{RISCV_CLANG} -march=rv32imac_zba_zbb -mabi=ilp32",
    ],
}
"""Core of a target.toml -> compilers with the flags for it."""
ALWAYS = {("cortex-m85", 0, "-O1"), ("rv32imac_zba_zbb", 0, "-O1")}
LEVELS = ("-O0", "-O1", "-O2", "-O3", "-Os")


@pytest.mark.parametrize(
    ("core", "like"),
    [
        ("cortex-m85", "cortex-m55"),
        ("cortex-m85+nopacbti", "cortex-m55"),
        ("cortex-m52", "cortex-m55"),
        ("armv8.1-m.main+mve.fp+fp.dp", "cortex-m55"),
        ("cortex-m55+nomve", "cortex-m33"),
        ("cortex-m55+nomve.fp", "cortex-m55"),
        ("cortex-m55+nodsp", "cortex-m3"),
        ("cortex-m33+nodsp", "cortex-m3"),
        ("cortex-m33+nofp", "cortex-m33"),
        ("armv8-m.main+dsp", "cortex-m33"),
        ("cortex-m35p", "cortex-m33"),
        ("cortex-m23", "cortex-m0plus"),
        ("cortex-m0plus.small-multiply", "cortex-m0plus"),
        ("rv32imc", "rv32imac"),
        ("rv32imac_zba_zbb_zbs_zbkb", "rv32imac"),
        ("rv32imczicsr_zifencei", "rv32imac"),
        ("rv32i2p1_m2p0_a2p1_c2p0", "rv32imac"),
        ("rv32gc", "rv32imac"),
        ("RV32IMAC", "rv32imac"),
        ("rv32em", "rv32imac"),
        ("rv32iac", "z80"),
        ("rv32icxtheadmac", "z80"),
        ("rv64gc", "z80"),
        ("cortex-a78ae", "z80"),
        ("host", "z80"),
    ],
)
def test_a_core_has_what_its_name_says(core: str, like: str) -> None:
    assert features_of(core) == features_of(like)


def test_an_unknown_core_has_no_features() -> None:
    assert features_of("z80") == frozenset()


def test_cores_that_multiply_vectors_or_packs_do_not_multiply_words() -> None:
    for features in FEATURES.values():
        assert sum(name in features for name in ("words", "packed", "mve")) == 1


@pytest.mark.parametrize(
    ("core", "like"), [("cortex-m85", "cortex-m55"), ("rv32imc", "rv32imac"), ("rv32imac_zba_zbb", "rv32imac")]
)
def test_it_gets_the_kernels_of_its_kind(tmp_path: Path, core: str, like: str) -> None:
    models = [generate(write_modes(tmp_path), tmp_path / name, scratch_limit=12288, core=name) for name in (core, like)]
    assert models[0].kernels == models[1].kernels
    assert any(name.endswith(("_mve", "_panel", "_winograd")) for name in models[0].kernels)


@pytest.mark.board
@pytest.mark.parametrize(
    ("core", "command", "level"),
    [
        pytest.param(core, command, level, marks=[] if (core, number, level) in ALWAYS else [pytest.mark.slow])
        for core, commands in USERS_CORES.items()
        for (number, command), level in itertools.product(enumerate(commands), LEVELS)
    ],
)
def test_kernels_compile_for_it(tmp_path: Path, core: str, command: str, level: str) -> None:
    name, *flags = command.split()
    words = [compiler(name), *flags, *(flag for flag in STRICT if flag != "-O2"), level, f"-I{INCLUDE}"]
    if name == "clang":
        words += ["-isystem", SYSTEM_HEADERS[flags[0].removeprefix("--target=")]]
    wanted = {"helium"} if "mve" in features_of(core) else {"dsp"} if "dsp" in features_of(core) else {"words"}
    files = [path for path in kernel_sources() if path.parent.name in wanted]
    made = compile_objects(words, files, tmp_path, tmp_path)
    nm = "arm-none-eabi-nm" if "thumb" in features_of(core) else "riscv64-unknown-elf-nm"
    defined = output_of(nm, "--defined-only", *made)
    kernels = [path.stem for path in files if path.stem.startswith("dimmer_")]
    assert kernels
    assert all(f" T {kernel}\n" in defined for kernel in kernels if not kernel.endswith("_pairs"))


def test_kinds_are_told_apart_and_known_by_their_own_core() -> None:
    assert [kind_of(kind.core) for kind in KINDS] == list(KINDS)
    assert len({features_of(kind.core) for kind in KINDS[:-1]}) == len(KINDS) - 1
    # Only the last one takes every core.
    assert [bool(kind.condition) for kind in KINDS] == [True] * (len(KINDS) - 1) + [False]


@pytest.mark.parametrize("core", [*FEATURES, "rv32imac_zba_zbb", "cortex-m33+nodsp", "cortex-m55+nomve"])
def test_the_kind_of_a_core_has_its_features(core: str) -> None:
    assert features_of(kind_of(core).core) == features_of(core)


@pytest.mark.parametrize("core", ["avr", "rv32ic", "host", ""])
def test_a_core_of_no_kind(core: str) -> None:
    with pytest.raises(FirmwareGenError, match="no core is known as"):
        kind_of(core)
