# SPDX-License-Identifier: Apache-2.0
"""The one protocol of a board: a file of records in, a row of results for each out (targets/app/main.c).

The file begins with a magic and four numbers of 32 bits, little-endian: how many records there are, bytes of an input,
bytes of an output, and how many places a schedule has (positions, or blocks of a gated run). A row of results is the
output and one byte for each place: the mode, or the bits, that ran there.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Protocol

from dimmer import children
from dimmer.errors import DimmerError

if TYPE_CHECKING:
    from dimmer.pipeline.core.arrays import UInt8

WORKERS = max(1, min(2, os.cpu_count() or 1))
"""Firmwares that run side by side."""


@dataclass(frozen=True)
class Command:
    """A command of the application that takes records.

    Attributes:
        magic: first bytes of their file.
        shard: records that are given to the firmware at a time; with each begins the state of a model that has one.
    """

    name: str
    magic: bytes
    shard: int


VERIFY = Command("verify", b"DMV1", 32)
"""A record is the mode at each position, then the input."""

GATED = Command("gated", b"DMG1", 250)
"""A record is the level of the budget, then the input."""


@dataclass(frozen=True)
class Sizes:
    """What the model's records are like.

    Attributes:
        input, output: bytes.
        places: positions, or blocks of a gated run.
    """

    input: int
    output: int
    places: int

    def shard(self, command: Command) -> int:
        """Bytes of the inputs that a command is given at a time."""
        return command.shard * self.input


class Runs(Protocol):
    """What runs a firmware: a target with its emulator, or a board on a serial line."""

    @property
    def name(self) -> str:
        """Of the target."""

    def run(self, elf: Path, args: Sequence[str], cwd: Path, count: bool = False) -> CompletedProcess[str]:
        """As Target.run."""


def run_records(
    target: Runs,
    elf: Path,
    command: Command,
    sizes: Sizes,
    count: int,
    record: Callable[[int], bytes],
    done: Callable[[int], None] = lambda count: None,
) -> UInt8:
    """Runs a firmware over records, in shards side by side.

    Args:
        count: of the records.
        record: gives one, by its number.
        done: called with the number of records of each finished shard.

    Returns:
        uint8[count, sizes.output + sizes.places].

    Raises:
        TargetError: the firmware or its runner failed.
        DimmerError: it wrote too little.
    """
    import numpy as np

    def one(start: int) -> UInt8:
        numbers = range(start, min(start + command.shard, count))
        rows = _exchange(target, elf, command, sizes, [record(number) for number in numbers])
        done(len(numbers))
        return rows

    with ThreadPoolExecutor(WORKERS) as pool:
        return np.concatenate(list(pool.map(one, range(0, count, command.shard))))


def _exchange(target: Runs, elf: Path, command: Command, sizes: Sizes, records: Sequence[bytes]) -> UInt8:
    import numpy as np

    head = command.magic + struct.pack("<4I", len(records), sizes.input, sizes.output, sizes.places)
    with children.scratch() as folder:
        (folder / "in.bin").write_bytes(head + b"".join(records))
        target.run(elf, [command.name, "in.bin", "out.bin"], folder)
        raw = np.frombuffer((folder / "out.bin").read_bytes(), np.uint8)
    row = sizes.output + sizes.places
    if raw.size != len(records) * row:
        raise DimmerError(
            f"{target.name} wrote {raw.size} of {len(records) * row} bytes of results to '{command.name}'; "
            "it ended early: report it"
        )
    return raw.reshape(len(records), row)
