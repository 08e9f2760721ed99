# SPDX-License-Identifier: Apache-2.0
"""The stack of a firmware: proven from its call graph, and never less than what was seen in use."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.kernels.families import KERNELS as EVERY
from dimmer.firmware_gen.library import INCLUDE, entry_points, sources
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.events import StackUsed, only, run_events
from dimmer.pipeline.image.order import Order, foreign_order
from dimmer.pipeline.image.stack import exception_frame, kernels_of, prove, unproven
from dimmer.targets import load_target
from dimmer.targets.kit.toolchain import ENTRIES, objdump_of
from dimmer.targets.stack.program import Program, Symbol, UnprovenError
from tests.boards import BOARD_PARAMS, BOARDS
from tests.firmware_gen.gated import random_gates
from tests.firmware_gen.narrow_network import Shape
from tests.firmware_gen.narrow_network import write_modes as write_narrow
from tests.firmware_gen.networks import tiny_mix, vww_look_alike
from tests.pipeline.image.orders import modes_order
from tests.targets.stack.programs import linked, objdump

BOARD = "mps2-an386"


def gated(folder: Path) -> Order:
    """Three modes and gates over them."""
    return replace(modes_order(folder), gates=random_gates(1))


def narrow(folder: Path) -> Order:
    """Blocks of 8, 4 and 2 bits."""
    modes = write_narrow(folder, Shape(16, (16, 32), 2), ("88.88", "44.44", "22.22"))
    return foreign_order([mode.path for mode in modes], 0)


def single(make: Callable[[], bytes]) -> Callable[[Path], Order]:
    """One network."""

    def order(folder: Path) -> Order:
        path = folder / "network.tflite"
        path.write_bytes(make())
        return foreign_order([path], 0)

    return order


MODELS = {"gated": gated, "narrow": narrow, "floats": single(tiny_mix), "mobile": single(vww_look_alike)}
EVERY_CASE = [
    pytest.param(
        name,
        model,
        marks=[pytest.mark.board(name)]
        if (name, model) == (BOARD, "gated")
        else [pytest.mark.board(name), pytest.mark.slow],
        id=f"{name}: {model}",
    )
    for name in BOARDS
    for model in MODELS
]


@pytest.mark.parametrize(("name", "model"), EVERY_CASE)
def test_no_more_is_used_than_is_proven(name: str, model: str, tmp_path: Path) -> None:
    target, order = load_target(name), MODELS[model](tmp_path)
    compiled = compile_modes(order, order.modes, target, tmp_path / "out", prove_stack=True)
    proven = compiled.stack
    assert proven is not None
    assert proven.notes == {}
    (used,) = only(StackUsed, run_events(target, compiled.elf, ["bench"], tmp_path))
    figures = proven.figures
    assert used.bytes is not None
    assert figures.proven is not None
    # What is proven is a bound and no wild guess: the program that measures does no more than print beside.
    assert used.bytes <= figures.proven <= used.bytes + 500
    assert [entry.name for entry in figures.entries] == list(entry_points())
    entries = {entry.name: entry.bytes or 0 for entry in figures.entries}
    deepest = max(kernel.bytes or 0 for kernel in figures.kernels)
    assert figures.before_hook is not None
    assert figures.before_hook + deepest <= entries["dimmer_invoke"] < figures.proven
    assert {kernel.name for kernel in figures.kernels} == set(compiled.model.kernels)
    assert not (tmp_path / "out" / ENTRIES).exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", BOARD_PARAMS)
def test_every_kernel_of_every_core_is_proven(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    main, table = tmp_path / "main.c", tmp_path / "dimmer_all.c"
    main.write_text("int main(void) { return 0; }\n")
    kept = [kernel.name for kernel in EVERY]
    target.compile([main, *sources()], [INCLUDE], tmp_path / "out", entries=kept)
    program = Program.read(tmp_path / "out" / ENTRIES, objdump_of(target.toolchain))
    known = [kernel for kernel in kept if program.named(kernel)]
    assert len(known) > 20
    declared = "\n".join(f"DIMMER_KERNEL({kernel});" for kernel in known)
    rows = ",\n".join(f"{{{kernel}, 0, 0, 0}}" for kernel in known)
    table.write_text(
        f'#include "dimmer_kernels.h"\n{declared}\nextern const dimmer_kernel_t dimmer_all_kernels[];\n'
        f"const dimmer_kernel_t dimmer_all_kernels[] = {{\n{rows}\n}};\n"
    )
    kept = [*entry_points(), "dimmer_all_kernels", "dimmer_gate_calls"]
    target.compile([main, table, *sources()], [INCLUDE], tmp_path / "out", entries=kept)
    proven = prove(target, tmp_path / "out", "dimmer_all")
    assert proven.notes == {}
    assert [kernel.name for kernel in proven.figures.kernels] == known
    assert all(kernel.bytes is not None and kernel.bytes < 1500 for kernel in proven.figures.kernels)


def test_a_target_with_an_operating_system_has_no_proof(tmp_path: Path) -> None:
    proven = prove(load_target("host"), tmp_path, "dimmer_any")
    assert proven.figures.proven is None
    assert proven.figures.entries == ()
    assert set(proven.notes) == {"stack.proven", "stack.before_hook", "stack.exception_frame"}
    assert "host is no bare board" in proven.notes["stack.proven"]
    assert proven.figures.text(None) == "proven not known (call graph), painted not known"


@pytest.mark.board
def test_without_a_disassembler_the_figure_is_null_with_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linked(tmp_path, "cortex-m4", "void start(void); void start(void) { for (;;) {} }").rename(tmp_path / ENTRIES)
    monkeypatch.setattr("dimmer.pipeline.image.stack.objdump_of", lambda _toolchain: "/no/objdump")
    proven = prove(load_target(BOARD), tmp_path, "dimmer_any")
    assert proven.figures.proven is None
    assert proven.notes["stack.proven"].startswith("/no/objdump cannot be run (No such file")
    assert "\n" not in proven.notes["stack.proven"]


@pytest.mark.board
@pytest.mark.parametrize(
    ("extra", "why"),
    [
        ("void start(void) { dimmer_init(1); }", "dimmer_any has no table of kernels in the program"),
        (
            "const int dimmer_any_kernels[3] = {5, 0, 0}; void start(void) { dimmer_init(dimmer_any_kernels[0]); }",
            "dimmer_any_kernels has an entry that is no function",
        ),
        (
            "void dimmer_other(int a); __attribute__((noipa)) void dimmer_other(int a) { (void)a; }"
            "int dimmer_kernel(int n); __attribute__((noipa)) int dimmer_kernel(int n) { return n * n; }"
            "int (*const dimmer_any_kernels[3])(int) = {dimmer_kernel, 0, 0}; void (*volatile kept)(int);"
            "void start(void) { kept = dimmer_other; dimmer_init(dimmer_any_kernels[0](2)); }",
            "the address of dimmer_other is taken, and nothing says who calls it",
        ),
        (
            "int dimmer_kernel(int n); __attribute__((noipa)) int dimmer_kernel(int n) { return n * n; }"
            "int (*const dimmer_any_kernels[3])(int) = {dimmer_kernel, 0, 0}; void (*volatile kept)(int);"
            "void start(void) { kept(dimmer_any_kernels[0](2)); dimmer_init(1); }",
            r"start\+0x\w+ calls through a pointer, and nothing says whom",
        ),
    ],
)
def test_what_is_not_known_is_null_with_its_reason(tmp_path: Path, extra: str, why: str) -> None:
    init = "void dimmer_init(int n); __attribute__((noipa)) void dimmer_init(int n) { (void)n; } void start(void);"
    linked(tmp_path, "cortex-m4", init + extra, ("-O1",)).rename(tmp_path / ENTRIES)
    proven = prove(load_target(BOARD), tmp_path, "dimmer_any")
    assert proven.figures.proven is None
    assert re.search(why, proven.notes["stack.proven"])


@pytest.mark.board
def test_entry_points_that_the_linker_dropped_are_null_with_a_note(tmp_path: Path) -> None:
    text = (
        "int dimmer_kernel(int n); __attribute__((noipa)) int dimmer_kernel(int n) { return n * n; }"
        "int (*const dimmer_any_kernels[3])(int) = {dimmer_kernel, 0, 0};"
        "int dimmer_invoke(int n); __attribute__((noipa)) int dimmer_invoke(int n)"
        "{ volatile int a[8]; a[n] = 1; return dimmer_any_kernels[n](a[1]) + a[2]; }"
        "void start(void); void start(void) { dimmer_invoke(0); for (;;) {} }"
    )
    linked(tmp_path, "cortex-m4", text).rename(tmp_path / ENTRIES)
    proven = prove(load_target(BOARD), tmp_path, "dimmer_any")
    assert proven.figures.entry("dimmer_invoke") is not None
    assert proven.figures.entry("dimmer_mode") is None
    index = list(entry_points()).index("dimmer_mode")
    assert proven.notes[f"stack.entries[{index}].bytes"] == "dimmer_mode is no function of its own in the program"
    assert proven.figures.before_hook == proven.figures.entry("dimmer_invoke")
    assert [kernel.bytes for kernel in proven.figures.kernels] == [0]


@pytest.mark.board
def test_a_core_with_an_fpu_pushes_more(tmp_path: Path) -> None:
    text = "void start(void); void start(void) { for (;;) {} }"
    found = {core: exception_frame(Program.read(linked(tmp_path, core, text), objdump(core))) for core in CORES}
    assert found == CORES


CORES = {"cortex-m0plus": 36, "cortex-m4": 108, "cortex-m55": 108}


def test_a_table_of_kernels_is_read_entry_by_entry() -> None:
    kernel = Symbol("dimmer_one", "", 0x100, 8, is_function=True)
    table = Symbol("dimmer_any_kernels", "dimmer_any.c", 0x200, 24, is_function=False)
    contents = b"".join(word.to_bytes(4, "little") for word in (0x101, 0x300, 0, 0x101, 0x400, 0))
    program = Program("EM_ARM", 0, False, {}, [kernel], [table], [(0x200, contents)])
    assert kernels_of(program, "dimmer_any") == (kernel, kernel)
    with pytest.raises(UnprovenError, match="dimmer_other has no table of kernels"):
        kernels_of(program, "dimmer_other")


def test_nothing_proven_says_why_at_each_figure() -> None:
    assert set(unproven("no reason").notes.values()) == {"no reason"}
