# SPDX-License-Identifier: Apache-2.0
"""Commands that read a build looked for that of an NPU in the folder of the stage `firmware`, which it never has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import product, size, slot, watch
from dimmer.pipeline.artifacts.places import built_elf, built_folder
from dimmer.pipeline.core.closure import ROOT
from dimmer.targets import Target, load_target

TARGET = "ethos-u55-128"


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program where the stage `npu` leaves it."""
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    target = load_target(TARGET)
    source = tmp_path / "main.c"
    source.write_text("volatile char room[5000];\nint main(void) { return room[0]; }\n")
    elf = load_target("host").compile([source], [], tmp_path)
    built_folder(tmp_path / "mnist5k-r14", target).mkdir(parents=True)
    elf.rename(built_elf(tmp_path / "mnist5k-r14", target))
    return tmp_path / "mnist5k-r14"


def test_size_reads_it(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size.main(TARGET, "mnist5k-r14", top=2)
    said = capsys.readouterr().out
    assert "5,000" in said
    assert "stack: not proven where an NPU computes" in said


def test_watch_runs_it(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    @contextmanager
    def emulated(_target: Target, elf: Path) -> Iterator[Iterator[None]]:
        ran.append(elf)
        yield iter(())

    monkeypatch.setattr(watch, "emulated", emulated)
    with watch._emulator(TARGET, build / TARGET) as lines:
        assert list(lines) == []
    assert ran == [built_elf(build, load_target(TARGET))]


def test_slot_says_why_there_is_none(build: Path) -> None:
    with pytest.raises(DimmerError, match="has an NPU, whose driver is the program's") as caught:
        slot.main(TARGET, "0x0", "0x40000", "1.0.0", 1, unsigned=True)
    assert "\n" not in str(caught.value)


def test_product_takes_the_npu_s_c_and_the_board_s_driver(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = load_target("pico").board
    driver = ROOT / "targets" / "npu" / "rehearsal.c"
    target = load_target(TARGET)
    assert target.npu is not None
    own = replace(target, board=board, npu=replace(target.npu, sources=(driver,)))
    folder = built_folder(build, own)
    (folder / "dimmer_model.c").write_text("")
    given: list[Path] = []

    def compiled(_target: Target, files: Sequence[Path], *_more: object) -> Path:
        given.extend(files)
        return folder

    monkeypatch.setattr(Target, "compile", compiled)
    monkeypatch.setattr(product, "load_target", lambda _: own)
    product.main(TARGET)
    assert {folder / "dimmer_model.c", driver} <= {*given}
    assert "dimmer_ethos_u.c" in {path.name for path in given}
