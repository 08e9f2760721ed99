"""Tables as bytes."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier, even_policy
from dimmer.firmware_gen.emit.tables import ABI, Tables
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.modes import write_modes


def test_the_abi_is_that_of_the_header() -> None:
    version = re.search(r"#define DIMMER_ABI (\d+)", (INCLUDE / "dimmer.h").read_text())
    assert version is not None
    assert int(version.group(1)) == ABI


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return tables_of(write_modes(tmp_path), even_policy(3))


def test_dims_have_the_size_of_the_c_struct(tables: Tables) -> None:
    assert len(tables.dims) == 64
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


def test_too_many_modes_are_told(tmp_path: Path) -> None:
    (mode, *_) = write_modes(tmp_path)
    with pytest.raises(FirmwareGenError, match="publish fewer modes"):
        tables_of([ModeSource(f"{mode.name}{i}", mode.path, mode.boundaries) for i in range(256)], PolicyConfig())
