# SPDX-License-Identifier: Apache-2.0
"""Slices that are read where they lie, and parts of concatenations that are computed in their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.kernels.portable import COPY, KERNELS
from dimmer.firmware_gen.lower.steps import Buffer
from dimmer.firmware_gen.memory import arena
from dimmer.firmware_gen.memory.arena import PlannedBuffer
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.oracle.interpreter import OracleJob, run_oracle
from tests.firmware_gen.alias_cases import streamed, tangle, tangles
from tests.firmware_gen.alias_modes import switching, written
from tests.firmware_gen.harness import Case, assert_exact, edge_inputs, run_cases
from tests.firmware_gen.networks import tiny_state
from tests.firmware_gen.on_board import assert_exact_on
from tests.firmware_gen.tflite_builder import Layers, pack

Build = Callable[[Layers], bytes]


def halves(net: Layers, x: int, rows: int, depth: int) -> list[int]:
    """SPLIT of [1, 2 * rows, 1, depth]."""
    parts = [net.activation([1, rows, 1, depth], 0.05, 3, name) for name in ("first", "second")]
    net.operator("SPLIT", [net.constant("axis", 1), x], parts, numSplits=2)
    return parts


def split_and_joined(net: Layers) -> bytes:
    x = net.activation([1, 8, 1, 16], 0.05, 3, "x")
    first, second = halves(net, x, 4, 16)
    left = net.conv(first, 16, (1, 1), output=net.activation([1, 4, 1, 16], 0.05, 3, "left"))
    right = net.conv(second, 16, (1, 1), output=net.activation([1, 4, 1, 16], 0.05, 3, "right"))
    both = net.same("CONCATENATION", left, [1, 8, 1, 16], [right], axis=1)
    return net.build(x, net.conv(both, 16, (1, 1)))


def by_channels(net: Layers) -> bytes:
    x = net.activation([1, 8, 2, 16], 0.05, 3, "x")
    left = net.conv(x, 16, (1, 1), output=net.activation([1, 8, 2, 16], 0.05, 3, "left"))
    right = net.conv(x, 16, (1, 1), output=net.activation([1, 8, 2, 16], 0.05, 3, "right"))
    return net.build(x, net.same("CONCATENATION", left, [1, 8, 2, 32], [right], axis=3))


def in_two_concatenations(net: Layers) -> bytes:
    x = net.activation([1, 4, 1, 16], 0.05, 3, "x")
    made = net.conv(x, 16, (1, 1), output=net.activation([1, 4, 1, 16], 0.05, 3, "made"))
    one = net.same("CONCATENATION", made, [1, 8, 1, 16], [x], axis=1)
    other = net.same("CONCATENATION", x, [1, 8, 1, 16], [made], axis=1)
    return net.build(x, net.elementwise("ADD", one, other))


def odd_slices(net: Layers) -> bytes:
    """Convolutions of tensors that begin anywhere."""
    x = net.activation([1, 2, 1, 5], 0.05, 3, "x")
    first, second = halves(net, x, 1, 5)
    return net.build(x, net.elementwise("ADD", net.conv(first, 8, (1, 1)), net.conv(second, 8, (1, 1))))


def slice_beside_the_whole(net: Layers) -> bytes:
    """A sum that may overwrite neither of its operands, since one is a slice of the other."""
    x = net.activation([1, 4, 1, 4], 0.05, 3, "x")
    y = net.operator("HARD_SWISH", [x], net.activation([1, 4, 1, 4], 0.05, 3, "y"))
    ends = [net.constant("begin", [0, 3, 0, 0]), net.constant("size", [1, 1, 1, 4])]
    row = net.operator("SLICE", [y, *ends], net.activation([1, 1, 1, 4], 0.05, 3, "row"))
    return net.build(x, net.elementwise("SUB", y, row))


def two_ends(net: Layers) -> bytes:
    first = net.activation([1, 4, 1, 16], 0.05, 3, "in_1")
    second = net.activation([1, 4, 1, 16], 0.05, 3, "in_2")
    total = net.elementwise("ADD", first, second)
    made = net.conv(first, 16, (1, 1))
    return pack(net.model([first, second], [total, made, total]))


CASES: dict[str, tuple[Build, int, int]] = {
    "split_and_joined": (split_and_joined, 4, 0),
    "by_channels": (by_channels, 0, 2),
    "in_two_concatenations": (in_two_concatenations, 1, 3),
    "slice_beside_the_whole": (slice_beside_the_whole, 1, 0),
    "two_ends": (two_ends, 4, 1),
}
"""What is built, how many tensors need no bytes of their own, and how many copies are left."""


def planned(folder: Path, name: str, data: bytes, core: str = "") -> Tables:
    path = folder / f"{name}.tflite"
    path.write_bytes(data)
    return tables_of([ModeSource(name, path)], PolicyConfig(), core=core)


def aliased(tables: Tables) -> list[PlannedBuffer]:
    return [buffer for buffer in tables.memory.buffers if buffer.within]


def copies(tables: Tables) -> int:
    return sum(tables.records[step.kernel].kernel == COPY for step in tables.steps)


@pytest.mark.parametrize("name", CASES)
def test_what_is_copied(tmp_path: Path, name: str) -> None:
    build, tensors, left = CASES[name]
    tables = planned(tmp_path, name, build(Layers(1)))
    assert (len(aliased(tables)), copies(tables)) == (tensors, left)


def test_an_aliased_tensor_lies_where_the_plan_says(tmp_path: Path) -> None:
    tables = planned(tmp_path, "split", split_and_joined(Layers(1)))
    found = {one.name: one for one in tables.memory.buffers}
    assert found["second"].offset == found["x"].offset + 64
    assert found["second"].within == found["first"].within == "x"
    assert found["right"].offset == found["left"].offset + 64


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4", "cortex-m55", "rv32imac"])
def test_kernels_that_read_words_get_tensors_on_their_bounds(tmp_path: Path, core: str) -> None:
    for seed in range(40, 46):
        tables = planned(tmp_path, "tangle", tangle(seed), core)
        for block in tables.memory.blocks.blocks:
            for step in block.steps:
                offsets = [value.offset for value in step.values if isinstance(value, Buffer)]
                assert step.kernel in KERNELS or all(offset % 4 == 0 for offset in offsets), step.kernel.name


@pytest.mark.parametrize("core", ["", "cortex-m4"])
def test_the_arena_never_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, core: str) -> None:
    files = [*(build(Layers(1)) for build, _, _ in CASES.values()), *map(tangle, range(60, 68)), tiny_state()]
    found = [planned(tmp_path, "with", data, core) for data in files]
    monkeypatch.setattr(arena, "copies", lambda _block: ())
    before = [planned(tmp_path, "without", data, core) for data in files]
    assert not any(aliased(tables) for tables in before)
    assert all(now.memory.arena <= then.memory.arena for now, then in zip(found, before, strict=True))
    assert all(len(now.steps) <= len(then.steps) for now, then in zip(found, before, strict=True))
    assert sum(len(now.steps) for now in found) < 0.7 * sum(len(then.steps) for then in before)


def cases(folder: Path) -> list[Case]:
    found = []
    for name, (build, _, _) in CASES.items():
        path = folder / f"{name}.tflite"
        path.write_bytes(build(Layers(1)))
        found.append(Case(name, path, edge_inputs(path, 3)))
    path = folder / "odd_slices.tflite"
    path.write_bytes(odd_slices(Layers(1)))
    return [*found, Case("odd_slices", path, edge_inputs(path, 3))]


def streams(folder: Path, seeds: range) -> list[Case]:
    """Files with state, several inferences of each."""
    found = []
    for seed in seeds:
        path = folder / f"streamed_{seed}.tflite"
        path.write_bytes(streamed(seed))
        found.append(Case(path.stem, path, edge_inputs(path, 6, seed)))
    return found


def assert_switches_are_exact(folder: Path, seeds: range, count: int, core: str = "") -> None:
    """Every inference, whatever modes its positions run in, equals that of a file of these blocks."""
    made = [switching(folder, seed, count, core) for seed in seeds]
    got = run_cases([case for case, _ in made], folder / "switching")
    jobs = [OracleJob(path, data) for _, spliced in made for path, data in spliced]
    expected = [answer if isinstance(answer, bytes) else b"" for answer in run_oracle(jobs)]
    for (case, spliced), outputs in zip(made, got, strict=True):
        wanted, expected = expected[: len(spliced)], expected[len(spliced) :]
        size = len(outputs) // len(spliced)
        found = [outputs[at : at + size] for at in range(0, len(outputs), size)]
        assert [plan for plan, a, b in zip(case.plans, wanted, found, strict=True) if a != b] == [], case.name


def test_random_graphs_are_bit_exact(tmp_path: Path) -> None:
    assert_exact([*cases(tmp_path), *tangles(tmp_path, range(3)), *streams(tmp_path, range(3))], tmp_path)


@pytest.mark.slow
def test_many_tangles_are_bit_exact(tmp_path: Path) -> None:
    assert_exact(tangles(tmp_path, range(100, 400)), tmp_path)


@pytest.mark.slow
def test_many_streams_are_bit_exact(tmp_path: Path) -> None:
    assert_exact(streams(tmp_path, range(100, 200)), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("core", ["", "cortex-m0plus"])
def test_modes_meet_where_the_plan_says(tmp_path: Path, core: str) -> None:
    assert_switches_are_exact(tmp_path, range(40), 12, core)


def test_blocks_are_planned_in_each_mode(tmp_path: Path) -> None:
    """Boundaries lie at one place, whatever was left out between them."""
    found = []
    for seed in range(3):
        tables = tables_of(written(tmp_path, seed), PolicyConfig())
        blocks = tables.memory.blocks
        found += aliased(tables)
        for schedule in blocks.schedules:
            ends = [(index, blocks.blocks[index].output) for index in schedule]
            starts = [(index, 0) for index in blocks.schedules[0]]
            places = tables.memory.offsets
            assert [places[end] for end in ends[:-1]] == [places[start] for start in starts[1:]]
    assert found


@pytest.mark.slow
@pytest.mark.parametrize(
    "target",
    [
        pytest.param(board, marks=pytest.mark.board(board))
        for board in ("mps2-an385-v6m", "mps2-an386", "mps3-an547", "riscv-virt")
    ],
)
def test_tangles_are_bit_exact_on_a_core(tmp_path: Path, target: str) -> None:
    assert_exact_on(target, [*cases(tmp_path), *tangles(tmp_path, range(500, 530))], tmp_path)
