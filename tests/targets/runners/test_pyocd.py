# SPDX-License-Identifier: Apache-2.0
"""pyOCD, recorded; and its own list of chips, where it is installed."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from dimmer.targets import TargetError, load_target
from dimmer.targets.runners import pyocd
from dimmer.targets.runners.flasher import Where
from dimmer.targets.runners.pyocd import PyOcd
from tests.boards import REAL_BOARDS
from tests.targets.runners.tools import Heard, image, record

KNOWN = "  nrf52840   Nordic\nAll 400 bytes match.\n"


def test_it_writes_compares_and_resets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(tmp_path, monkeypatch, "pyocd", KNOWN)
    written = image(tmp_path, 0x10000)
    PyOcd("nrf52840").write(written, Where(probe="683"), Heard())
    assert calls.read_text().splitlines() == [
        "list --targets",
        f"load --no-wait -t nrf52840 -u 683 -a 0x10000 --format bin {written.bin}",
        f'commander --no-wait -t nrf52840 -u 683 -c compare 0x10000 "{written.bin}" -c reset',
    ]


def test_a_path_is_one_word_of_pyocd_s(tmp_path: Path) -> None:
    cmdline = pytest.importorskip("pyocd.utility.cmdline", reason="needs pip install 'dimmer-nn[boards]'")
    folder = tmp_path / 'my "boards", new+old \\ [1]'
    folder.mkdir()
    written = image(folder, 0x10000)
    load, compare = PyOcd("nrf52840").commands(written, Where())
    assert load[-1] == str(written.bin)
    assert cmdline.split_command_line(compare[-3]) == ["compare", "0x10000", str(written.bin)]
    assert [shlex.split(line) for line in PyOcd("nrf52840").steps(written, Where())] == [list(load), list(compare)]


def test_without_a_comparison_it_has_not_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, monkeypatch, "pyocd", " nrf52840 \nMismatched byte at 0x1\n")
    with pytest.raises(TargetError, match="the flash does not hold what was written"):
        PyOcd("nrf52840").write(image(tmp_path), Where(), Heard())


def test_an_unknown_chip_is_noticed_without_a_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, monkeypatch, "pyocd", KNOWN)
    with pytest.raises(TargetError, match="pyocd knows no chip nrf528: look at 'pyocd list --targets'"):
        PyOcd("nrf528").check()
    with pytest.raises(TargetError, match="pyocd knows no chip stm32l4: type 'pyocd pack install stm32l4r5'"):
        PyOcd("stm32l4", "stm32l4r5").check()


def test_no_probe_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, monkeypatch, "pyocd", " nrf52840 \nC No connected debug probes [__main__]\n", status=1)
    with pytest.raises(TargetError, match=r"^pyocd: no debug probe is connected: plug in"):
        PyOcd("nrf52840").write(image(tmp_path), Where(), Heard())


def test_one_that_hangs_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, monkeypatch, "pyocd")
    (tmp_path / "bin" / "pyocd").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(pyocd, "_LOOK_S", 0.2)
    with pytest.raises(TargetError, match=r"^pyocd .* did not end within 0\.2 s: try it by hand"):
        PyOcd("nrf52840").check()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pyocd") is None, reason="needs pip install 'dimmer-nn[boards]'")
def test_the_chips_of_the_targets_are_pyocd_s_or_in_a_pack() -> None:
    for name in REAL_BOARDS:
        for way in load_target(name).flash.each:
            if isinstance(way, PyOcd) and way.pack is None:
                way.check()
    with pytest.raises(TargetError, match="pyocd knows no chip nosuch"):
        PyOcd("nosuch").check()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pyocd") is None, reason="needs pip install 'dimmer-nn[boards]'")
def test_the_real_one_without_a_probe(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="pyocd: no debug probe is connected"):
        PyOcd("nrf52840").write(image(tmp_path), Where(), Heard())
