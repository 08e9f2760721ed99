# SPDX-License-Identifier: Apache-2.0
"""The file of records and the rows of results."""

from __future__ import annotations

import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.image.protocol import GATED, VERIFY, Command, Sizes, run_records
from dimmer.targets import Target, load_target

SIZES = Sizes(input=3, output=2, places=1)

# Answers every record with its place, and the sum of its input twice; keeps the heads that it was given.
ECHO = """
import os, struct, sys
command, source, result = sys.argv[2:5]
data = open(source, "rb").read()
count, size, output, places = struct.unpack("<4I", data[4:20])
open(sys.argv[1] + "." + command + "." + str(os.getpid()), "wb").write(data[:20])
rows = [data[20 + i * (places + size) : 20 + (i + 1) * (places + size)] for i in range(count)]
answer = b"".join(bytes([sum(row[places:]) % 256] * output) + row[:places] for row in rows)
open(result, "wb").write(answer[: len(answer) - CUT])
"""


def echo(cut: int = 0) -> Target:
    target = load_target("host")
    command = (sys.executable, "-c", ECHO.replace("CUT", str(cut)), "{elf}", "{arguments}")
    return replace(target, runner=replace(target.runner, command=command))


def record(number: int) -> bytes:
    return bytes([number % 7, number % 256, 1, 2])


@pytest.mark.parametrize(("command", "magic"), [(VERIFY, b"DMV1"), (GATED, b"DMG1")])
def test_records_go_in_shards_and_come_back_in_their_order(command: Command, magic: bytes, tmp_path: Path) -> None:
    elf = tmp_path / "firmware.elf"
    elf.touch()
    count = 2 * command.shard + 1
    done: list[int] = []
    rows = run_records(echo(), elf, command, SIZES, count, record, done.append)
    numbers = np.arange(count)
    np.testing.assert_array_equal(rows[:, 0], (numbers % 256 + 3) % 256)
    np.testing.assert_array_equal(rows[:, 1], rows[:, 0])
    np.testing.assert_array_equal(rows[:, 2], numbers % 7)
    assert sorted(done) == [1, command.shard, command.shard]
    heads = sorted(path.read_bytes() for path in tmp_path.glob(f"*.{command.name}.*"))
    assert heads == sorted(magic + struct.pack("<4I", n, 3, 2, 1) for n in done)


def test_a_firmware_that_ends_early_is_one_line(tmp_path: Path) -> None:
    elf = tmp_path / "firmware.elf"
    elf.touch()
    with pytest.raises(DimmerError, match=r"host wrote 11 of 12 bytes of results to 'verify'; it ended early: report"):
        run_records(echo(cut=1), elf, VERIFY, SIZES, 4, record)
