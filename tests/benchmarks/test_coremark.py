# SPDX-License-Identifier: Apache-2.0
"""CoreMark: what it says is read and checked; a core's score is that of its authors."""

from __future__ import annotations

import pytest

from dimmer.benchmarks import coremark
from dimmer.benchmarks.coremark import PUBLISHED, TOLERANCE, Score, differing, read_score, score
from dimmer.errors import DimmerError
from dimmer.targets import load_target
from tests.boards import SIMULATED, SIMULATED_PARAMS

SAID = """2K performance run parameters for coremark.
CoreMark Size    : 666
Total ticks      : 4000000
seedcrc          : 0xe9f5
[0]crclist       : 0xe714
[0]crcfinal      : 0xfcaf
Correct operation validated. See README.md for run and reporting rules.
"""


def test_a_score_is_read() -> None:
    found = read_score("lamp", SAID)
    assert found == Score(4_000_000)
    assert found.per_mhz == 2.5


@pytest.mark.parametrize("damage", [("0xfcaf", "0xfcae"), ("Correct", "Errors"), ("Total ticks", "Ticks"), (SAID, "")])
def test_a_run_that_computes_something_else_has_no_score(damage: tuple[str, str]) -> None:
    with pytest.raises(DimmerError, match="lamp: CoreMark's own checks fail, or it ended early"):
        read_score("lamp", SAID.replace(*damage))


def test_what_differs_is_told() -> None:
    published = PUBLISHED["ibex-small"].score
    near, far = (Score(round(coremark.ITERATIONS * 1e6 / (published * by))) for by in (1.019, 0.979))
    assert differing({"ibex-small": near}) == []
    assert differing({"ibex-small": far}) == ["ibex-small: 2.418 CoreMark/MHz, published are 2.47"]
    assert differing({"lamp": far}) == []


def test_other_targets_are_refused() -> None:
    with pytest.raises(
        DimmerError, match="mps2-an386 measures no cycles: name some of cv32e40p, ibex-maxperf, ibex-small"
    ):
        coremark.main(["mps2-an386"])


def test_every_simulated_core_has_a_published_score() -> None:
    assert sorted(PUBLISHED) == sorted(SIMULATED)


@pytest.mark.parametrize("name", SIMULATED_PARAMS)
def test_a_core_has_the_score_of_its_authors(name: str) -> None:
    assert score(load_target(name)).per_mhz == pytest.approx(PUBLISHED[name].score, rel=TOLERANCE)
