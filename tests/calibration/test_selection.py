# SPDX-License-Identifier: Apache-2.0
"""Modes are dropped for being worse, not for being unlucky."""

import math
import time

import numpy as np
import pytest

from dimmer.calibration.selection import Candidate, better_beyond_noise, limited, on_target, select


def candidate(
    name: str, cost: int, right: int, *, total: int = 1000, loss: float = 1.0, keep: bool = False
) -> Candidate:
    return Candidate(name, cost, np.arange(total) < right, loss, keep)


def verdicts(*candidates: Candidate) -> dict[str, str | None]:
    return {v.name: v.dominated_by for v in select(candidates)}


def test_best_of_equal_cost_stays() -> None:
    assert verdicts(candidate("a", 5, 900), candidate("b", 5, 910)) == {"a": "b", "b": None}


def test_equal_accuracy_is_decided_by_loss() -> None:
    assert verdicts(candidate("a", 5, 900, loss=0.3), candidate("b", 5, 900, loss=0.2)) == {"a": "b", "b": None}


def test_a_cheaper_mode_that_is_clearly_better_dominates() -> None:
    assert verdicts(candidate("deep", 9, 800), candidate("shallow", 5, 900)) == {"deep": "shallow", "shallow": None}


def test_one_image_is_not_a_difference() -> None:
    assert verdicts(candidate("deep", 9, 899), candidate("shallow", 5, 900)) == {"deep": None, "shallow": None}


def test_super_and_base_net_are_kept_whatever_happens() -> None:
    assert verdicts(candidate("super", 9, 500, keep=True), candidate("base", 5, 900, keep=True)) == {
        "super": None,
        "base": None,
    }


def test_a_kept_mode_dominates_its_equals() -> None:
    assert verdicts(candidate("kept", 5, 800, keep=True), candidate("other", 5, 900)) == {"kept": None, "other": "kept"}


def test_the_comparison_is_paired() -> None:
    right = np.zeros(1000, bool)
    right[:900] = True
    shifted = np.roll(right, 50)
    assert not better_beyond_noise(Candidate("a", 1, right, 0.0), Candidate("b", 1, shifted, 0.0))
    fewer = right.copy()
    fewer[:10] = False
    assert better_beyond_noise(Candidate("a", 1, right, 0.0), Candidate("b", 1, fewer, 0.0))


@pytest.mark.parametrize(
    ("wins", "losses", "better"),
    # One-sided p of the coin: 1/8, 1/32, 1/16, 11/1024, 56/1024, 0.044, 0.067; and of thousands.
    [
        (3, 0, False),
        (5, 0, True),
        (4, 0, False),
        (9, 1, True),
        (8, 2, False),
        (59, 41, True),
        (58, 42, False),
        (0, 0, False),
        (2, 9, False),
        (2559, 2441, True),
        (2558, 2442, False),
    ],
)
def test_better_is_what_a_coin_gives_in_at_most_5_percent(wins: int, losses: int, better: bool) -> None:
    images = wins + losses
    chance = sum(math.comb(images, k) for k in range(wins, images + 1)) / 2**images
    assert (chance <= 0.05 and wins > losses) == better, "of exact whole numbers"
    first, second = np.arange(images + 7) < wins, np.arange(images + 7) >= wins
    second[images:] = False
    assert better_beyond_noise(Candidate("a", 1, first, 0.0), Candidate("b", 2, second, 0.0)) == better


def test_many_modes_are_selected_in_moments() -> None:
    rng = np.random.default_rng(0)
    right = rng.random((400, 5000)) < 0.8
    began = time.process_time()
    found = select([Candidate(str(i), i, images, 1.0) for i, images in enumerate(right)])
    assert len(found) == 400
    # 80,000 pairs: a tail that is summed anew for each takes minutes.
    assert time.process_time() - began < 20


def test_different_images_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="different images"):
        select([candidate("a", 1, 5, total=10), candidate("b", 2, 5, total=20)])


def test_no_limit_is_no_change() -> None:
    candidates = [candidate("a", 9, 900, keep=True), candidate("b", 5, 880), candidate("c", 2, 800, keep=True)]
    verdicts = select(candidates)
    assert limited(candidates, verdicts, 3) == verdicts


def test_the_limit_drops_what_the_front_misses_least() -> None:
    candidates = [
        candidate("super", 64, 900, keep=True),
        candidate("hardly cheaper", 60, 899),
        candidate("half", 32, 890),
        candidate("no better than the next", 20, 850),
        candidate("next", 16, 850),
        candidate("base", 8, 800, keep=True),
    ]
    kept = [v.name for v in limited(candidates, select(candidates), 4) if v.published]
    assert kept == ["super", "half", "next", "base"]


def test_modes_to_keep_stay_beyond_the_limit() -> None:
    candidates = [candidate(name, cost, 900, keep=True) for name, cost in (("a", 9), ("b", 5), ("c", 2))]
    assert all(v.published for v in limited(candidates, select(candidates), 2))


def test_a_mode_that_the_target_runs_no_faster_is_left_out() -> None:
    names = ["88", "44", "22"]
    found = on_target(names, {"88": 100, "44": 110, "22": 60}, {"88": 0.9, "44": 0.89, "22": 0.8})
    assert list(found) == ["44"]
    assert "88 takes 100 instructions" in found["44"]
    (timed,) = on_target(names[:2], {"88": 100, "44": 110}, {"88": 0.9, "44": 0.89}, "cycles").values()
    assert "88 takes 100 cycles there, this mode 110" in timed


def test_a_slower_mode_stays_if_it_predicts_better() -> None:
    assert not on_target(["88", "44"], {"88": 100, "44": 110}, {"88": 0.88, "44": 0.89})


def test_counts_in_the_order_of_the_operations_say_nothing_new() -> None:
    # 22 is cheaper and better than 44: for `select` that was within the noise, and it stays so.
    assert not on_target(["44", "22"], {"44": 100, "22": 60}, {"44": 0.80, "22": 0.81})
