# SPDX-License-Identifier: Apache-2.0
"""In a file of more than 24 copies, all were made where leaving out one of them takes more of the arena."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.kernels.portable import COPY
from dimmer.firmware_gen.memory import arena
from dimmer.firmware_gen.memory.alias import Aliased
from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.tflite_builder import Layers


def file(pairs: int, costly: int) -> bytes:
    """Rows that are kept beyond the peak of the arena, which costs more where they lie in what they are cut from or in
    what they become part of, and behind it splits and concatenations that cost nothing: four copies a pair.
    """
    net = Layers(1)

    def tensor(rows: int) -> int:
        return net.activation([1, rows, 1, 16], 0.05, 3, net.name("t"))

    def largest(x: int, rows: int, made: int) -> int:
        options = {"filterHeight": rows, "filterWidth": 1, "strideH": rows, "strideW": 1, "padding": 1}
        return net.operator("MAX_POOL_2D", [x], made, **options)

    x = tensor(32)
    y, cut, parts = x, [], []
    for _ in range(costly):
        y = net.operator("HARD_SWISH", [y], tensor(32))
        ends = [net.constant("begin", [0, 3, 0, 0]), net.constant("size", [1, 1, 1, 16])]
        cut.append(net.operator("SLICE", [y, *ends], tensor(1)))
        parts.append(net.operator("HARD_SWISH", [cut[-1]], tensor(1)))
        y = net.conv(y, 16, (1, 1), output=tensor(32))
    first = y = largest(y, 4, tensor(8))
    for _ in range(pairs):
        halves = [tensor(4), tensor(4)]
        net.operator("SPLIT", [net.constant("axis", 1), y], halves, numSplits=2)
        made = [net.conv(half, 16, (1, 1), output=tensor(4)) for half in halves]
        y = net.operator("CONCATENATION", made, tensor(8), axis=1)
    whole = net.operator("CONCATENATION", [first, *parts], tensor(8 + costly), axis=1)
    for row in (*cut, largest(whole, 8 + costly, tensor(1))):
        y = net.elementwise("ADD", y, row)
    return net.build(x, y)


def tables(path: Path, pairs: int, costly: int) -> Tables:
    path.write_bytes(file(pairs, costly))
    return tables_of([ModeSource("net", path)], PolicyConfig())


def copies(found: Tables) -> int:
    return sum(found.records[step.kernel].kernel == COPY for step in found.steps)


@pytest.mark.parametrize(("pairs", "costly", "left"), [(5, 1, 2), (7, 1, 2), (7, 3, 6), (10, 5, 12)])
def test_all_others_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pairs: int, costly: int, left: int) -> None:
    found = tables(tmp_path / "net.tflite", pairs, costly)
    monkeypatch.setattr(arena, "copies", lambda _block: ())
    before = tables(tmp_path / "net.tflite", pairs, costly)
    assert copies(before) == 4 * pairs + 2 * costly + 1
    assert copies(found) <= left
    assert found.memory.arena <= before.memory.arena


def test_no_more_plans_are_made_than_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    planned = arena._planned

    def counted(found: list[Aliased], blocks: object) -> object:
        made.append(found)
        return planned(found, blocks)  # type: ignore[arg-type]

    monkeypatch.setattr(arena, "_planned", counted)
    tables(tmp_path / "net.tflite", 20, 9)
    assert len(made) == 4 + arena.MOST_TRIED


@pytest.mark.slow
def test_what_is_left_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(file(7, 3))
    assert_exact([Case("net", path, edge_inputs(path, 2))], tmp_path)
