# SPDX-License-Identifier: Apache-2.0
"""`dimmer flash --elf` wrote the .hex or .bin that lay beside the ELF file, whatever program that was of, and called it
verified.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.pipeline import flash
from tests.targets.runners.test_image import elf

STUB = """#!/bin/sh
if [ "$1" = list ]; then echo "  nrf52840  Nordic"; exit 0; fi
if [ "$1" = load ]; then for last; do :; done; cp "$last" {taken}; exit 0; fi
eval "set -- $(echo "$@" | sed 's/.*compare \\(0x[0-9a-f]*\\) \\(.*\\) -c reset/\\1 \\2/')"
cmp "$2" {taken} && echo "All bytes match."
"""


def test_it_is_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    program = elf(tmp_path / "app.elf", (0, b"as it is now"))
    program.with_suffix(".hex").write_bytes(b"stale")
    program.with_suffix(".bin").write_bytes(b"stale, too")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "pyocd").write_text(STUB.format(taken=tmp_path / "taken"))
    (tools / "pyocd").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    flash.main("nrf52840dk", "mnist5k-r14", elf=program, tool="pyocd")
    assert (tmp_path / "taken").read_bytes() == b"as it is now"
    assert "12 bytes at 0x0 written and verified by pyocd" in capsys.readouterr().out
    assert program.with_suffix(".bin").read_bytes() == b"stale, too"
