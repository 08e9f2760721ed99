# SPDX-License-Identifier: Apache-2.0
"""The command that installs Debian packages."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import system


def test_named_tools_are_asked_for_with_their_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Mapping[str, str]] = []
    monkeypatch.setattr(system, "require_tools", asked.append)
    assert system.main(["riscv64-unknown-elf-gcc", "ccache"]) == 0
    (tools,) = asked
    assert set(tools.values()) == {"gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf", "ccache"}


def test_what_cannot_be_had_is_one_line_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_tools: Mapping[str, str]) -> None:
        raise DimmerError("ccache not found:\ntype this")

    monkeypatch.setattr(system, "require_tools", refuse)
    assert system.main(["ccache"]) == 2
    assert capsys.readouterr().err == "error: ccache not found: type this\n"
    assert system.main(["lamp-gcc"]) == 2
    assert capsys.readouterr().err.startswith("error: no Debian package known for 'lamp-gcc'; known are ")
