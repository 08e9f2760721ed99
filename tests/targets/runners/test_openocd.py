# SPDX-License-Identifier: Apache-2.0
"""OpenOCD, recorded; and the real one as far as it comes without a probe."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dimmer.targets import TargetError, load_target
from dimmer.targets.runners import openocd
from dimmer.targets.runners.flasher import Where
from dimmer.targets.runners.openocd import OpenOcd
from tests.boards import REAL_BOARDS
from tests.targets.runners.tools import Heard, image, record

HERE = shutil.which("openocd") is not None
WAY = OpenOcd(("-f", "board/st_nucleo_f4.cfg"))


def test_it_writes_verifies_and_resets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(tmp_path, monkeypatch, "openocd", "** Verified OK **\n")
    written = image(tmp_path)
    WAY.write(written, Where(probe="066A"), Heard())
    assert calls.read_text().splitlines() == [
        "-f board/st_nucleo_f4.cfg -c echo ok; shutdown",
        f"-f board/st_nucleo_f4.cfg -c adapter serial 066A -c program {{{written.elf}}} verify reset exit",
    ]


def test_without_verification_it_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, monkeypatch, "openocd", "** Programming Started **\n")
    with pytest.raises(TargetError, match="openocd ended without having verified"):
        WAY.write(image(tmp_path), Where(), Heard())


def test_one_that_hangs_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, monkeypatch, "openocd")
    (tmp_path / "bin" / "openocd").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(openocd, "_LOOK_S", 0.2)
    with pytest.raises(TargetError, match=r"^openocd .* did not end within 0\.2 s: try it by hand"):
        WAY.check()


@pytest.mark.skipif(not HERE, reason="needs sudo apt-get install openocd")
def test_the_real_one_knows_the_boards_and_misses_the_probe(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"openocd does not know this board .*board/nosuch\.cfg"):
        OpenOcd(("-f", "board/nosuch.cfg")).check()
    every = (way for name in REAL_BOARDS for way in load_target(name).flash.each if isinstance(way, OpenOcd))
    # Variants are flashed as their boards.
    ways = list(dict.fromkeys(every))
    assert len(ways) == 7
    for way in ways:
        way.check()
    with pytest.raises(TargetError, match=r"^openocd: no debug probe is connected"):
        WAY.write(image(tmp_path), Where(), Heard())
