# SPDX-License-Identifier: Apache-2.0
"""st-flash, recorded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dimmer.targets import TargetError
from dimmer.targets.runners.flasher import Where
from dimmer.targets.runners.stflash import StFlash
from tests.targets.runners.tools import Heard, image, record


def test_it_writes_and_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(tmp_path, monkeypatch, "st-flash", "Flash written and verified! jolly good!\n")
    written = image(tmp_path)
    StFlash().write(written, Where(probe="0667"), Heard())
    assert calls.read_text() == f"--connect-under-reset --reset --serial 0667 write {written.bin} 0x08000000\n"


def test_a_quiet_failure_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, monkeypatch, "st-flash", "nothing\n")
    with pytest.raises(TargetError, match="st-flash ended without having verified"):
        StFlash().write(image(tmp_path), Where(), Heard())


@pytest.mark.skipif(shutil.which("st-flash") is None, reason="needs sudo apt-get install stlink-tools")
def test_the_real_one_without_a_board(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"^st-flash: no ST-LINK is connected"):
        StFlash().write(image(tmp_path), Where(), Heard())
