"""Modes are dropped for being worse, not for being unlucky."""

import numpy as np
import pytest

from calibration.selection import Candidate, better_beyond_noise, select


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


def test_different_images_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="different images"):
        select([candidate("a", 1, 5, total=10), candidate("b", 2, 5, total=20)])
