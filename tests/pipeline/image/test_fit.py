# SPDX-License-Identifier: Apache-2.0
"""Whether a firmware fits, by plan."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.fit import (
    DoesNotFitError,
    check_fit,
    explain,
    fits,
    fitting_limit,
    least_stack,
    need_of,
    stack_bytes,
    verdict,
)
from dimmer.pipeline.image.make import check_known_answers
from dimmer.targets import Region, Target, load_target
from tests.boards import small_board
from tests.pipeline.image.orders import modes_order

STACK = 16 << 10


def test_the_stack_is_what_the_target_or_its_linker_script_keeps_free() -> None:
    board = load_target("mps2-an386")
    assert stack_bytes(board) == STACK
    assert stack_bytes(with_stack(board, 2048)) == 2048
    assert stack_bytes(load_target("host")) == 0


def with_stack(board: Target, size: int) -> Target:
    """The board as with `stack` under [memory]."""
    assert board.memory is not None
    return replace(board, memory=replace(board.memory, stack=size))


@pytest.mark.board("mps2-an386")
def test_where_the_stack_decides_it_is_proven_and_the_line_says_what_to_keep_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dimmer.pipeline.image.fit.fitting_limit", lambda *_: None)
    monkeypatch.setattr("dimmer.pipeline.image.fit.target_names", list)
    order = modes_order(tmp_path)
    found = need_of(order, load_target("mps2-an386"))
    board = small_board(tmp_path, 1 << 20, found.ram - STACK + 2048)
    with pytest.raises(DoesNotFitError) as failure:
        compile_modes(order, order.modes, board, tmp_path / "out")
    line = re.search(
        r"stack 16,384 of which (\d+) are used by the call graph, .*what fits: stack = (\d+) under", str(failure.value)
    )
    assert line, failure.value
    proven, enough = int(line[1]), int(line[2])
    assert proven + 108 <= enough == least_stack(proven) <= 2048
    made = compile_modes(order, order.modes, with_stack(board, enough), tmp_path / "out", prove_stack=True)
    assert made.stack is not None
    assert made.stack.figures.proven == proven
    check_known_answers(with_stack(board, enough), made, tmp_path)


@pytest.mark.board("mps2-an386")
def test_a_stack_that_is_proven_too_small_is_refused(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    board = with_stack(load_target("mps2-an386"), 128)
    with pytest.raises(
        DoesNotFitError, match=r"stack: \d+ bytes needed by the call graph, 128 kept free, \d+ too few; what"
    ):
        compile_modes(order, order.modes, board, tmp_path / "out", prove_stack=True)


@pytest.mark.board("mps2-an386")
def test_what_is_planned_is_what_is_linked(tmp_path: Path) -> None:
    order, target = modes_order(tmp_path), load_target("mps2-an386")
    found = need_of(order, target)
    made = compile_modes(order, order.modes, target, tmp_path / "out")
    assert found.arena == made.model.arena
    assert found.ram - found.stack == made.sizes.data + made.sizes.bss
    assert found.flash == pytest.approx(made.flash, rel=0.15)
    assert found.weights == made.model.weight_bytes


def test_a_machine_with_an_operating_system_holds_everything(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    assert check_fit(order, load_target("host")).arena > 0
    assert fits(order, load_target("host"))


def test_at_its_border_a_board_still_holds_it(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    found = need_of(order, load_target("mps2-an386"))
    assert fits(order, small_board(tmp_path, found.flash, found.ram, "just"))
    assert not fits(order, small_board(tmp_path, found.flash, found.ram - 4, "ram"))
    assert not fits(order, small_board(tmp_path, found.flash - 4, found.ram, "flash"))
    check_fit(order, small_board(tmp_path, found.flash, found.ram, "again"))


def test_weights_in_a_region_of_their_own_need_no_room_in_the_flash(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    found = need_of(order, load_target("mps2-an386"))
    board = small_board(tmp_path, found.tables + found.code, found.ram)
    assert board.memory is not None
    assert not fits(order, board)

    def apart(size: int) -> Target:
        assert board.memory is not None
        return replace(board, memory=replace(board.memory, weights=Region(0x90000000, size)))

    assert fits(order, apart(found.weights))
    assert verdict(order, apart(found.weights)) == "yes"
    small = apart(found.weights - 4)
    assert not fits(order, small)
    assert verdict(order, small).startswith("no: 4 bytes of flash too few")
    with pytest.raises(DoesNotFitError) as failure:
        check_fit(order, small)
    there = found.flash - 4
    assert (
        f"flash: about {found.flash:,} bytes needed (weights {found.weights:,}, tables {found.tables:,}, code about "
        f"{found.code:,}), {there:,} there, {found.weights - 4:,} of them for weights alone, about 4 too many"
    ) in str(failure.value)
    told = explain(order, small, found, {"weights": 4})
    assert f"flash: about {found.flash:,} bytes needed" in told
    assert "for weights alone, 4 too many" in told


def test_the_line_says_what_is_needed_and_there_and_by_how_much_it_misses(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    found = need_of(order, load_target("mps2-an386"))
    board = small_board(tmp_path, 4096, found.ram - 100)
    with pytest.raises(DoesNotFitError) as failure:
        check_fit(order, board)
    told = str(failure.value)
    assert told.startswith("modes does not fit small: flash: about ")
    assert f"weights {found.weights:,}, tables {found.tables:,}, code about {found.code:,}), 4,096 there" in told
    assert (
        f"RAM: {found.ram:,} bytes needed (arena {found.arena:,}, stack 16,384, application {found.application:,})"
        in told
    )
    assert "100 too many" in told
    assert "what fits: --target mps2-an386" in told


@pytest.mark.slow
def test_less_scratch_is_offered_with_its_cost(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    whole = need_of(order, load_target("mps2-an386"))
    leaner = need_of(order, replace(load_target("mps2-an386"), scratch_limit=600))
    assert leaner.arena < whole.arena
    board = small_board(tmp_path, 1 << 20, leaner.ram)
    limit = fitting_limit(order, board)
    assert limit is not None
    assert fits(order, replace(board, scratch_limit=limit))
    with pytest.raises(
        DoesNotFitError, match=rf"--scratch-limit {limit} \(arena [\d,]+, about [\d,]+ instructions more"
    ):
        check_fit(order, board)
    assert fitting_limit(order, small_board(tmp_path, 1 << 20, STACK, "none")) is None


def test_fewer_modes_are_offered_with_what_they_cost_in_accuracy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dimmer.pipeline.image.fit.fitting_limit", lambda *_: None)
    monkeypatch.setattr("dimmer.pipeline.image.fit.target_names", list)
    order, board = modes_order(tmp_path), load_target("mps2-an386")
    whole, top = need_of(order, board), need_of(replace(order, modes=order.modes[:1]), board)
    assert top.flash < whole.flash
    target = small_board(tmp_path, top.flash, 1 << 20)
    assert "only 888, without 880, 800" in explain(order, target, whole)
    known = replace(order, accuracy={"888": 0.91, "880": 0.9, "800": 0.855})
    assert "best accuracy on validation images stays 91.00%)" in explain(known, target, whole)
    known = replace(order, accuracy={"888": 0.9, "880": 0.91, "800": 0.855})
    assert "best accuracy on validation images 90.00% instead of 91.00%)" in explain(known, target, whole)
    assert "accuracy" not in explain(replace(order, accuracy={"888": 0.9}), target, whole)


def test_where_nothing_fits_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dimmer.pipeline.image.fit.target_names", list)
    order = modes_order(tmp_path)
    with pytest.raises(DoesNotFitError, match="nothing known fits: take a smaller network or a larger target"):
        check_fit(order, small_board(tmp_path, 1024, 1024))


def test_what_the_linker_says_is_told_exactly(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    board = small_board(tmp_path, 20_000, 1 << 20)
    told = explain(order, board, need_of(order, board), {"flash": 123})
    assert "flash: 20,123 bytes needed" in told
    assert "20,000 there, 123 too many" in told


@pytest.mark.slow
def test_the_verdict_in_a_list_of_targets(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    found = need_of(order, load_target("mps2-an386"))
    assert verdict(order, load_target("mps2-an386")) == "yes"
    assert verdict(order, load_target("jetson")) == "-"
    few = small_board(tmp_path, 1 << 20, 4096, "few")
    assert verdict(order, few) == f"no: {found.ram - 4096:,} bytes of RAM too few"
    assert "bytes of flash too few" in verdict(order, small_board(tmp_path, 1024, 1 << 20, "flash"))


def test_the_verdict_says_what_would_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dimmer.pipeline.image.fit.fitting_limit", lambda *_: None)
    order = modes_order(tmp_path)
    found = need_of(order, load_target("mps2-an386"))
    told = verdict(order, small_board(tmp_path, 1 << 20, found.ram - 4096, "tight"))
    way = f"stack = {STACK - 4096} under [memory], if that is proven to be enough"
    assert told == f"no: 4,096 bytes of RAM too few; yes with {way}"
    one = need_of(replace(order, modes=order.modes[:1]), load_target("mps2-an386"))
    assert one.flash < found.flash - 8
    told = verdict(order, small_board(tmp_path, found.flash - 8, 1 << 20, "short"))
    assert told.startswith("no: 8 bytes of flash too few; yes with ")
    assert told.endswith(" alone")


def test_an_arena_with_a_region_of_its_own_leaves_ram_to_the_rest(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    found = need_of(order, load_target("mps2-an386"))
    board = small_board(tmp_path, 1 << 20, found.ram - found.arena)
    assert board.memory is not None
    assert not fits(order, board)
    apart = replace(board, memory=replace(board.memory, arena=Region(0x30000000, found.arena)))
    assert fits(order, apart)
    tight = replace(board, memory=replace(board.memory, arena=Region(0x30000000, found.arena - 8)))
    with pytest.raises(DoesNotFitError, match="8 too many"):
        check_fit(order, tight)
