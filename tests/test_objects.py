# SPDX-License-Identifier: Apache-2.0
"""The tests' own memory of compiled files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, RUNTIME
from dimmer.targets.kit.errors import TargetError
from tests.objects import shared_objects

CRC = str(RUNTIME / "src" / "crc.c")


def test_what_another_command_makes_is_another_object(tmp_path: Path) -> None:
    calls: list[list[str]] = []

    def run(command: list[str], cwd: Path | None = None) -> None:
        calls.append(command)
        if "-Wrong" in command:
            raise TargetError("no")
        (Path(cwd or ".") / command[command.index("-o") + 1]).write_text(" ".join(command))

    store = tmp_path / "store"
    store.mkdir()
    compile_one = shared_objects(run, store)
    for number, command in enumerate(
        (
            ["gcc", "-O2", f"-I{INCLUDE}", "-c", CRC],
            ["gcc", "-O2", f"-I{INCLUDE}", "-I/generated", "-c", CRC],
            ["gcc", "-O1", f"-I{INCLUDE}", "-c", CRC],
            ["clang", "-O1", f"-I{INCLUDE}", "-c", CRC],
            ["gcc", "-O2", f"-I{INCLUDE}", "-c", "model.c"],
            ["gcc", "-O2", f"-I{INCLUDE}", "-c", "model.c"],
        )
    ):
        compile_one([*command, "-o", f"{number}.o"], tmp_path)
        assert (tmp_path / f"{number}.o").is_file()
    assert [" ".join(command[-1:]) for command in calls] == ["0.o", "2.o", "3.o", "4.o", "5.o"]
    assert (tmp_path / "1.o").read_text() == (tmp_path / "0.o").read_text()
    for _ in range(2):
        with pytest.raises(TargetError):
            compile_one(["gcc", "-Wrong", "-c", CRC, "-o", "w.o"], tmp_path)


def test_the_library_includes_headers_of_its_own_only() -> None:
    # The NPU's driver is Arm's, and its header comes from there or from a rehearsal, the same in all of a run.
    names = {path.name for path in RUNTIME.rglob("*.h")} | {"ethosu_driver.h"}
    for path in RUNTIME.rglob("*.[ch]"):
        for line in path.read_text().splitlines():
            if line.startswith('#include "') and "DIMMER_" not in line:
                assert line.split('"')[1].split("/")[-1] in names, f"{path}: {line}"
