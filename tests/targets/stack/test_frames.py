# SPDX-License-Identifier: Apache-2.0
"""The library's frames and calls against what the compiler says of them (-fstack-usage, -fcallgraph-info)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, engine_sources, kernel_sources
from dimmer.targets.stack.frames import Frame, Value, added, moved, signed
from dimmer.targets.stack.program import Program, Symbol, UnprovenError
from dimmer.targets.stack.proof import Prover
from tests.targets.stack.programs import CORES, objdump

WHOLE_KERNELS = ("dimmer_softmax_s8.c", "dimmer_add_s8.c", "sum_dsp.c", "direct_layer_dsp.c", "helium_entry_mve.c")
"""Of the library's kernels, those that are looked at by default."""


def compiled(folder: Path, core: str, sources: list[Path]) -> Program:
    """A program of C files, everything in it kept, with what the compiler says of it in `folder`."""
    prefix, *machine = CORES[core]
    command = [f"{prefix}-gcc", "-std=gnu99", *machine, "-O2", "-ffunction-sections", f"-I{INCLUDE}", "-fstack-usage"]
    if prefix.startswith("riscv"):
        command += ["--specs=picolibc.specs", "-fno-schedule-insns"]
    subprocess.run([*command, "-fcallgraph-info=su", "-c", *map(str, sources)], check=True, cwd=folder)
    objects = [f"{source.stem}.o" for source in sources]
    linking = ["-nostartfiles", "-Wl,-e,dimmer_crc32", "-Wl,--no-gc-sections", "-Wl,--unresolved-symbols=ignore-all"]
    subprocess.run([*command[:-1], *objects, *linking, "-o", "all.elf"], check=True, cwd=folder)
    return Program.read(folder / "all.elf", objdump(core))


def compare(folder: Path, program: Program, sources: list[Path]) -> int:
    """Compares every function of these files; gives how many there were."""
    prover = Prover(program, lambda _address: [])
    compared = 0
    for source in sources:
        for line in (folder / f"{source.stem}.su").read_text().splitlines():
            place, size, kind = line.split("\t")
            name = place.rsplit(":", 1)[1]
            function = next((f for f in program.functions if f.name == name and f.file in (source.name, "")), None)
            if function is None:
                continue
            compared += 1
            assert kind == "static", f"{name}: the library has no frame that is not known before it runs"
            frame = prover.frame(function.address)
            assert frame.depth >= int(size), name
            # The compiler knows of nothing that assembly pushes; what is jumped to for good is in the figure, too.
            if not re.search("ASSEMBLY|push", source.read_text()) and not jumps_away(program, function):
                assert frame.depth == int(size) + passed_in_halves(program, function), name
                assert called(program, frame) >= edges(folder / f"{source.stem}.ci", name, program), name
    return compared


def jumps_away(program: Program, function: Symbol) -> bool:
    """Whether a function ends in a jump into another one."""
    inside = range(function.address, function.address + function.size)
    found = (program.instructions[place] for place in inside if place in program.instructions)
    branches = (line for line in found if re.fullmatch(r"(b(\w\w)?|j|tail)(\.[nw])?", line.mnemonic))
    jumps = (re.search(r"([0-9a-f]+) <", line.operands) for line in branches)
    return any(jump is not None and int(jump[1], 16) not in inside for jump in jumps)


def passed_in_halves(program: Program, function: Symbol) -> int:
    """Bytes that a function keeps for an argument of which a part comes in registers: gcc does not count them."""
    first = program.instructions[function.address]
    then = program.instructions[first.next]
    found = re.fullmatch(r"sp, #(\d+)", first.operands)
    pushes = then.mnemonic == "push" or then.operands.startswith("sp!")
    return int(found[1]) if found and first.mnemonic == "sub" and pushes else 0


def called(program: Program, frame: Frame) -> set[str]:
    """Names of the functions that a frame's calls name."""
    return {program.name_of(call.target) for call in frame.calls if call.target is not None}


def edges(file: Path, name: str, program: Program) -> set[str]:
    """Functions of the program that the compiler says a function calls."""
    found = re.findall(r'edge: \{ sourcename: "(?:[^"]*:)?(\w+)" targetname: "(?:[^"]*:)?([\w.]+)"', file.read_text())
    known = {function.name for function in program.functions}
    return {target for source, target in found if source == name and target in known}


@pytest.mark.board
def test_frames_of_the_library_are_the_compilers(tmp_path: Path) -> None:
    sources = [*engine_sources(), *(path for path in kernel_sources() if path.name in WHOLE_KERNELS)]
    assert compare(tmp_path, compiled(tmp_path, "cortex-m4", sources), sources) > 25


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.board("riscv-virt")
@pytest.mark.parametrize("core", CORES)
def test_all_frames_of_the_library_are_the_compilers(core: str, tmp_path: Path) -> None:
    sources = [*engine_sources(), *kernel_sources()]
    assert compare(tmp_path, compiled(tmp_path, core, sources), sources) > 60


def test_numbers_and_places_on_the_stack_add_up() -> None:
    place, number = Value(-8, of_stack=True), Value(0xFFFF_FFF0)
    assert moved(place, -8) == Value(-16, of_stack=True)
    assert moved(Value(0xFFFF_FFFF), 2) == Value(1)
    assert moved(None, 4) is None
    assert added(place, number) == added(number, place) == Value(-24, of_stack=True)
    assert added(number, Value(16)) == Value(0)
    assert added(place, place) is None
    assert added(place, None) is None
    assert (signed(0xFFFF_FFFF), signed(0x7FFF_FFFF)) == (-1, 0x7FFF_FFFF)


def test_a_place_without_code_is_refused() -> None:
    program = Program("EM_ARM", 0, False, {}, [], [], [])
    with pytest.raises(UnprovenError, match=r"^0x40 runs into what is no code at 0x40$"):
        Prover(program, lambda _address: []).frame(0x40)
