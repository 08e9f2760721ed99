# SPDX-License-Identifier: Apache-2.0
"""The tables as bytes: small, within their limits, and all under the checksum."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier, even_policy
from dimmer.firmware_gen.emit.tables import ABI, Tables, build_tables, ends
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import generate, tables_of
from dimmer.firmware_gen.graph.types import DType, Quantisation, Tensor
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.gated import random_gates
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.networks import tiny_resnet


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return tables_of(write_modes(tmp_path), even_policy(3))


def test_the_resnet_is_small(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    model = generate([ModeSource("resnet", path)], tmp_path / "out")
    assert model.table_bytes < 700


def test_counts_and_sizes_stand_in_the_dims(tables: Tables) -> None:
    arena, weights, params, shifts, records, names, *counts = struct.unpack("<6I5HBB", tables.dims[:36])
    assert (arena, weights) == (tables.memory.arena, len(tables.pool.table("weights")))
    assert (4 * params, shifts) == (len(tables.pool.table("params")), len(tables.pool.table("shifts")))
    assert records == sum(len(table.data) for table in tables.records)
    assert counts == [len(tables.records), len(tables.steps), len(tables.blocks), 3, 5, 0, 0]
    assert names == len(tables.names)
    assert tables.names.split(b"\0") == [b"model", *(name.encode() for name in tables.mode_names), b""]
    assert len(tables.dims) == 36 + 2 * 16


def test_the_checksum_is_that_of_all_tables_in_their_order(tables: Tables) -> None:
    parts = [tables.dims, tables.names, *(tables.pool.table(name) for name in ("weights", "params", "shifts"))]
    parts += [struct.pack("<HH", entry.kernel, entry.record) for entry in tables.steps]
    parts += [struct.pack("<HH", block.first_step, block.step_count) for block in tables.blocks]
    parts += [struct.pack("<5H", *schedule) for schedule in tables.schedules]
    parts += [table.data for table in tables.records]
    assert tables.crc == zlib.crc32(b"".join((*parts, even_policy(3).pack(3))))
    assert replace(tables, policy=PolicyConfig()).crc != tables.crc
    assert tables.dims_crc == zlib.crc32(tables.dims)


def test_schedules_lead_to_the_steps_of_their_mode(tables: Tables) -> None:
    for schedule, macs in zip(tables.schedules, tables.mode_macs, strict=True):
        runs = [tables.blocks[block] for block in schedule]
        steps = [tables.steps[run.first_step + number] for run in runs for number in range(run.step_count)]
        assert sum(step.macs for step in steps) == macs
        assert steps[0].layer == "stem"


def test_gates_are_counted_and_under_the_checksum(tmp_path: Path, tables: Tables) -> None:
    gated = tables_of(write_modes(tmp_path), even_policy(3), random_gates(0))
    assert gated.gates is not None
    assert (len(gated.gates.gates), len(gated.gates.stages)) == (3, 2)
    assert gated.schedule_bytes - tables.schedule_bytes == len(gated.gates.data)
    other = replace(gated, gates=replace(gated.gates, first_position=2))
    assert other.crc != gated.crc


def test_gates_of_another_network_are_refused(tables: Tables) -> None:
    stream = Tensor("stem", (1, 10, 10, 4), DType.INT8, Quantisation((0.05,), (0,)), None)
    arguments = (tables.memory, tables.mode_names, tables.input, tables.output, tables.policy)
    with pytest.raises(FirmwareGenError, match=r"gates of stage 0 are not made for stem, int8\[1, 10, 10, 4\]; train"):
        build_tables(*arguments, random_gates(0), (tables.input, *[stream] * 4))


def test_more_modes_than_a_byte_counts_are_refused(tables: Tables) -> None:
    names = tuple(str(number) for number in range(256))
    with pytest.raises(FirmwareGenError, match="256 modes of 5 positions; at most 255 of 256, publish fewer modes"):
        build_tables(tables.memory, names, tables.input, tables.output, tables.policy)


def test_an_end_without_codes_has_no_scale() -> None:
    assert ends(Tensor("x", (1,), DType.FLOAT32, None, None)) == (0.0, 0)
    assert ends(Tensor("x", (1,), DType.INT8, Quantisation((0.5,), (3,)), None)) == (0.5, 3)


def test_the_abi_is_that_of_the_header() -> None:
    version = re.search(r"#define DIMMER_ABI (\d+)", (INCLUDE / "dimmer.h").read_text())
    assert version is not None
    assert int(version.group(1)) == ABI


def test_dims_have_the_size_of_the_c_struct(tables: Tables) -> None:
    assert len(tables.dims) == 68
    assert tables.dims_crc == zlib.crc32(tables.dims)
    assert int.from_bytes(tables.dims[:4], "little") == tables.memory.arena


def test_what_modes_have_in_common_is_stored_once(tables: Tables) -> None:
    """Stem and head are every mode's; the first block runs with two sets of biases."""
    assert len({schedule[0] for schedule in tables.schedules}) == 1
    assert len({schedule[-1] for schedule in tables.schedules}) == 1
    assert len({schedule[1] for schedule in tables.schedules}) == 2
    keys = [tuple((s.kernel, s.record) for s in tables.steps[b.first_step :][: b.step_count]) for b in tables.blocks]
    assert len(set(keys)) == len(keys)


def test_the_policy_is_part_of_the_crc(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    one, other = (tables_of(modes, PolicyConfig((Tier(charge, 0, 0), Tier(0, 0, 2)))) for charge in (500, 501))
    assert one.dims == other.dims
    assert one.crc != other.crc


@pytest.mark.parametrize("pair", [("net@1", "net_1"), ("a" * 60, "a" * 61)])
def test_modes_of_one_name_in_c_are_refused(tmp_path: Path, pair: tuple[str, str]) -> None:
    names = (*pair, "other")
    modes = [replace(mode, name=name) for mode, name in zip(write_modes(tmp_path), names, strict=True)]
    told = f"modes {pair[0]} and {pair[1]} are both called {pair[1][:60]} in C; rename one of the files"
    with pytest.raises(FirmwareGenError, match=f"^{told}$"):
        tables_of(modes, even_policy(3))


def test_too_many_modes_are_told(tmp_path: Path) -> None:
    (mode, *_) = write_modes(tmp_path)
    with pytest.raises(FirmwareGenError, match="publish fewer modes"):
        tables_of([ModeSource(f"{mode.name}{i}", mode.path, mode.boundaries) for i in range(256)], PolicyConfig())
