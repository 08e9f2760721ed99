# SPDX-License-Identifier: Apache-2.0
"""Where a firmware's bytes go."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import size
from dimmer.pipeline.artifacts.firmware import firmware_folder
from dimmer.pipeline.artifacts.places import built_elf
from dimmer.targets import load_target
from tests.pipeline.artifact_examples import firmware

SOURCE = """
const char table_of_numbers[300] = {1};
volatile char room[5000];
int main(void) { room[0] = table_of_numbers[1]; return room[0]; }
"""


def test_sections_and_the_largest_symbols(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    folder = tmp_path / "mnist5k-r14" / "host"
    (tmp_path / "a.c").write_text(SOURCE)
    elf = load_target("host").compile([tmp_path / "a.c"], [], folder)
    built = built_elf(folder.parent, load_target("host"))
    built.parent.mkdir()
    elf.rename(built)
    firmware().save(firmware_folder(tmp_path / "mnist5k-r14", "host"))
    size.main("host", "mnist5k-r14", top=2)
    said = capsys.readouterr().out
    rows = [line.split() for line in said.splitlines()]
    names = [cells[1] for cells in rows if len(cells) == 5 and cells[1] in ("room", "table_of_numbers", "main")]
    assert names == ["room", "table_of_numbers"]
    assert "5,000" in said
    assert "The 2 largest symbols" in said
    assert "stack: proven 600 bytes (call graph), painted 512 bytes" in said


def test_without_a_build_the_error_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    with pytest.raises(DimmerError, match=r"there is no .*firmware\.elf: type dimmer build --target host --model mn"):
        size.main("host", "mnist5k-r14")
    with pytest.raises(DimmerError, match=r"lamp/host/firmware/firmware\.elf: type dimmer firmware --target host --tf"):
        size.main("host", tflite=[tmp_path / "lamp.tflite"])
