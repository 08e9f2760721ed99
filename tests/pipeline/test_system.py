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
    system.main(["riscv64-unknown-elf-gcc", "ccache"])
    (tools,) = asked
    assert set(tools.values()) == {"gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf", "ccache"}


def test_a_session_of_nox_names_its_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Mapping[str, str]] = []
    monkeypatch.setattr(system, "require_tools", asked.append)
    system.main(["ccache"], ["lint"])
    assert list(asked[0]) == ["ccache", "cppcheck"]
    system.main(None, ["tests"])
    assert {"verilator", "qemu-aarch64", "clang's sanitizers"} <= set(asked[1])


@pytest.mark.parametrize(
    ("purposes", "message"),
    [(["lamps"], "no tools are known for 'lamps': --for takes lint or tests"), (None, "name a tool, or --for tests")],
)
def test_nothing_to_install_is_told(purposes: list[str] | None, message: str) -> None:
    with pytest.raises(DimmerError, match=message):
        system.main(None, purposes)


def test_what_has_no_package_is_told() -> None:
    with pytest.raises(DimmerError, match="no Debian package known for 'lamp-gcc'; known are "):
        system.main(["lamp-gcc"])
