# SPDX-License-Identifier: Apache-2.0
"""What a governor costs, counted on emulated boards: instructions of a choice and of a report, and code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, RUNTIME, engine_sources
from dimmer.targets import load_target
from dimmer.targets.kit.toolchain import LANGUAGE_FLAGS, compile_objects
from dimmer.targets.target import TARGETS, Target
from tests.boards import at_level
from tests.firmware_gen.runtime.c_library import output_of

MOST_REPORT = {"mps2-an386": 600, "mps2-an385-v6m": 3500}
MOST_CHOICE = 80

BOARDS = [pytest.param(name, marks=pytest.mark.board(name)) for name in MOST_REPORT]
GOVERNOR = ("governor", "share", "reading")

# What is of the policy in a firmware: a report's and a switch's own functions are in every one, and what an application
# may set or ask besides is linked only where it is called.
POLICY = {
    "tiers": ("policy", "reading"),
    "governor": ("governor", "govern", "share", "reading"),
}
ASKED = {"dimmer_set_plan", "dimmer_govern_no_more", "dimmer_policy_next", "dimmer_governor_choose"}
LINKED = {part for parts in POLICY.values() for part in parts} | {"report", "engine", "check", "crc"}

# Of tiers, and of governor and tiers: 1.2 KB for all that chooses was aimed at.
AIMED_AT = 1228
MOST_CODE = {
    ("mps2-an386", "-O2"): (324, AIMED_AT),
    ("mps2-an386", "-Os"): (324, AIMED_AT),
    ("mps2-an385-v6m", "-O2"): (344, 1304),
    ("mps2-an385-v6m", "-Os"): (332, 1276),
    ("riscv-virt", "-O2"): (414, 1464),
    ("riscv-virt", "-Os"): (408, 1458),
}


@pytest.mark.parametrize("name", BOARDS)
def test_instructions(tmp_path: Path, name: str) -> None:
    target = load_target(name)
    parts = [RUNTIME / "src" / f"{part}.c" for part in GOVERNOR]
    sources = [Path(__file__).with_name("governor_cost_test.c"), *parts, TARGETS / "app" / "text.c"]
    elf = target.compile(sources, [INCLUDE, TARGETS / "app"], tmp_path)
    done = target.run(elf, [], tmp_path, count=True)
    assert done.returncode == 0
    found = {line["event"]: line for line in map(json.loads, done.stdout.splitlines())}
    print(f"{name}: instructions of {found}")
    assert 0 < found["choose"]["most"] <= MOST_CHOICE, found
    assert 0 < found["report"]["most"] <= MOST_REPORT[name], found
    assert 0 < found["harvest"]["most"] <= MOST_REPORT[name], found


def functions_of(listing: str) -> dict[str, int]:
    """Bytes of each function that `nm -S` lists."""
    lines = [words for words in map(str.split, listing.splitlines()) if len(words) == 4]
    return {name: int(size, 16) for _, size, kind, name in lines if kind in "tT"}


def linked(target: Target, folder: Path, *defines: str) -> dict[str, int]:
    """Bytes of each function of a program that has a policy."""
    sources = [path for path in engine_sources() if path.stem in LINKED]
    assert len(sources) == len(LINKED)
    program = Path(__file__).with_name("policy_program.c")
    elf = target.compile([program, *sources], [INCLUDE], folder, dict.fromkeys(defines, "1"))
    return functions_of(output_of(nm_of(target), "-S", elf))


def nm_of(target: Target) -> str:
    return str(target.toolchain.objcopy).replace("objcopy", "nm")


def names_of(target: Target, parts: tuple[str, ...], folder: Path) -> set[str]:
    """The functions of some parts, as the compiler names them: it may make one of two, and two of one."""
    flags = [target.toolchain.compilers[0], *LANGUAGE_FLAGS, *target.toolchain.flags, f"-I{INCLUDE}"]
    objects = compile_objects(flags, [RUNTIME / "src" / f"{part}.c" for part in parts], folder, folder)
    return functions_of(output_of(nm_of(target), "-S", *objects)).keys() - ASKED


@pytest.mark.parametrize(
    ("name", "optimised"), [pytest.param(*key, marks=pytest.mark.board(key[0])) for key in MOST_CODE]
)
def test_code(tmp_path: Path, name: str, optimised: str) -> None:
    target = at_level(name, optimised)
    sizes = linked(target, tmp_path / "program", "GOVERNED")
    names: set[str] = set()
    found = []
    for parts in POLICY.values():
        names |= names_of(target, parts, tmp_path)
        assert names <= sizes.keys(), names - sizes.keys()
        found.append(sum(sizes[function] for function in names))
    print(f"{name} {optimised}: bytes of {dict(zip(POLICY, found, strict=True))}, each with those before it")
    assert 0 < found[0] < found[1]
    assert all(size <= most for size, most in zip(found, MOST_CODE[name, optimised], strict=True)), found


@pytest.mark.board("mps2-an386")
def test_what_is_not_asked_for_is_not_linked(tmp_path: Path) -> None:
    target = load_target("mps2-an386")
    tiers, governed = linked(target, tmp_path / "tiers"), linked(target, tmp_path / "governed", "GOVERNED")
    assert not tiers.keys() & names_of(target, ("governor", "govern", "share"), tmp_path)
    assert "dimmer_governor_report" in governed
    assert "dimmer_governor_choose" not in governed
