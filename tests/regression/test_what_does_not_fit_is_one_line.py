# SPDX-License-Identifier: Apache-2.0
"""A firmware that was too large ended in `collect2: ld returned 1`, and `pipeline.trade` died of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.fit import SURE, DoesNotFitError, need_of
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.trade import trades
from dimmer.targets import load_target
from tests.boards import rest_slow, small_board
from tests.pipeline.image.orders import modes_order
from tests.tiny import silent

pytestmark = pytest.mark.board("mps2-an386")


@pytest.mark.parametrize(
    ("flash", "ram"),
    rest_slow([pytest.param(4096, 1 << 20), pytest.param(1 << 20, 12_000), pytest.param(1024, 1024)], 4096),
)
def test_before_anything_is_compiled(flash: int, ram: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dimmer.targets.target.compile_firmware", None)
    with pytest.raises(DoesNotFitError, match=r"^modes does not fit small: .* too many; what fits: "):
        make(modes_order(tmp_path), small_board(tmp_path, flash, ram), tmp_path / "out", silent)


@pytest.mark.slow
def test_what_only_the_linker_sees_is_the_same_line(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    roomy = load_target("mps2-an386")
    made = compile_modes(order, order.modes, roomy, tmp_path / "roomy")
    board = small_board(tmp_path, made.flash - 400, 1 << 20)
    found = need_of(order, board)
    assert found.flash - (1 - SURE) * found.code < made.flash - 400, "the plan lets it through to the linker"
    with pytest.raises(DoesNotFitError) as failure:
        compile_modes(order, order.modes, board, tmp_path / "out")
    told = str(failure.value)
    assert "collect2" not in told
    (needed,) = re.findall(r"flash: ([\d,]+) bytes needed", told)
    assert abs(int(needed.replace(",", "")) - made.flash) <= 16
    assert f"{made.flash - 400:,} there" in told


@pytest.mark.slow
def test_trade_marks_what_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = modes_order(tmp_path)
    wide, lean = need_of(order, load_target("mps2-an386")), 600
    monkeypatch.setattr("dimmer.pipeline.image.trade.limits", lambda *_: (26112, lean))
    found = trades(order, small_board(tmp_path, 1 << 20, wide.ram - 4), silent)
    assert [(row.scratch_limit, row.fits) for row in found] == [(26112, False), (lean, True)]
    assert found[0].arena == wide.arena
    assert found[0].instructions == ()
