# SPDX-License-Identifier: Apache-2.0
"""Who counts for a board."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.firmware_gen.variants.cores import kind_of
from dimmer.targets import load_target, target_names
from dimmer.targets.counter import EMULATED, counter_of, emulated_for, uncounted
from tests.boards import REAL_BOARDS


@pytest.mark.parametrize("name", REAL_BOARDS)
def test_every_board_has_an_emulated_one_that_chooses_the_same_kernels(name: str) -> None:
    board = load_target(name)
    emulated = emulated_for(board)
    assert emulated is not None
    assert emulated.counts_instructions
    assert (kind_of(emulated.core), emulated.scratch_limit) == (kind_of(board.core), board.scratch_limit)
    small = emulated_for(replace(board, scratch_limit=512))
    assert small is not None
    assert small.scratch_limit == 512


def test_what_counts_itself_needs_nobody() -> None:
    counting = [target for target in map(load_target, target_names()) if target.counts_instructions]
    assert {EMULATED[core] for core in EMULATED} <= {target.name for target in counting}
    for target in counting:
        assert emulated_for(target) is None
        assert counter_of(target) is target


def test_where_nobody_counts_there_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    board = load_target("nrf52840dk")
    for other in (load_target("host"), replace(board, core="cortex-m85"), replace(board, core="cortex-m33+nodsp")):
        assert counter_of(other) is None
        assert uncounted(other) == f"{other.name} has no instruction counter"
    monkeypatch.setenv("PATH", "")
    assert counter_of(board) is None
    assert uncounted(board) == "mps2-an386, which counts for nrf52840dk, needs qemu-system-arm, which is not here"
