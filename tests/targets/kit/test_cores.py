# SPDX-License-Identifier: Apache-2.0
"""The compiler's flags of a core are those of the targets that say them themselves."""

from __future__ import annotations

import pytest

from dimmer.targets import load_target
from dimmer.targets.kit.cores import core_flags


@pytest.mark.parametrize("name", ["mps2-an385-v6m", "mps2-an385", "mps2-an386", "mps2-an500", "riscv-virt"])
def test_as_the_emulated_boards_have_them(name: str) -> None:
    target = load_target(name)
    known = core_flags(target.core)
    assert known is not None
    assert set(known) <= set(target.toolchain.flags)


@pytest.mark.parametrize("core", ["cortex-a53", "rv64imac", "rv32e", "host", "xtensa"])
def test_others_are_not_known(core: str) -> None:
    assert core_flags(core) is None
