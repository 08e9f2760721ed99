# SPDX-License-Identifier: Apache-2.0
"""Splits: shares of each class, whole groups, and what is given stays."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dimmer.errors import DimmerError
from dimmer.pipeline.data.partition import Member, partition, partition_apart


def members(counts: dict[str, int]) -> list[Member]:
    return [Member(f"{label}{number}", label, "", "") for label, count in counts.items() for number in range(count)]


def test_uneven_classes_have_their_shares_in_each_split() -> None:
    """500 of 731 could not be taken evenly before."""
    all_of_them = members({"cat": 500, "dog": 200, "owl": 28, "elk": 3})
    found = partition(all_of_them, 0.15, 0.15, seed=0)
    counts = Counter(zip((member.label for member in all_of_them), found, strict=True))
    assert [counts["cat", split] for split in ("train", "val", "test")] == [350, 75, 75]
    assert [counts["dog", split] for split in ("train", "val", "test")] == [140, 30, 30]
    assert [counts["owl", split] for split in ("train", "val", "test")] == [20, 4, 4]
    assert [counts["elk", split] for split in ("train", "val", "test")] == [1, 1, 1]


def test_added_samples_leave_almost_all_others_where_they_were() -> None:
    before = members({"cat": 400, "dog": 331})
    after = [*before, Member("new", "cat", "", "")]
    moved = sum(a != b for a, b in zip(partition(before, 0.15, 0.15, 7), partition(after, 0.15, 0.15, 7), strict=False))
    assert moved <= 2
    assert partition(before, 0.15, 0.15, 8) != partition(before, 0.15, 0.15, 7)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 8)), min_size=40, max_size=200), st.integers(0, 99))
def test_a_group_is_in_one_split(rows: list[tuple[str, int]], seed: int) -> None:
    all_of_them = [Member(str(n), label, f"g{group}", "") for n, (label, group) in enumerate(rows)]
    assume(len({member.group for member in all_of_them}) >= 3)
    found = partition(all_of_them, 0.2, 0.2, seed)
    splits = defaultdict(set)
    for member, split in zip(all_of_them, found, strict=True):
        splits[member.group].add(split)
    assert all(len(there) == 1 for there in splits.values())
    assert set(found) == {"train", "val", "test"}


def test_equal_groups_have_about_the_shares() -> None:
    all_of_them = [Member(f"{g}-{n}", "ab"[n % 2], f"g{g}", "") for g in range(20) for n in range(10)]
    counts = Counter(partition(all_of_them, 0.15, 0.15, 0))
    assert counts == {"train": 140, "val": 30, "test": 30}


def test_given_splits_stay_and_what_is_not_given_is_made() -> None:
    all_of_them = [Member(str(n), "a", "", "test" if n < 10 else "train") for n in range(50)]
    found = partition(all_of_them, 0.25, 0.9, 0)
    assert found[:10] == ("test",) * 10
    assert Counter(found[10:]) == {"train": 30, "val": 10}


def test_a_group_that_leaks_is_refused() -> None:
    leaky = [Member("1", "a", "anna", "train"), Member("2", "a", "anna", "test"), Member("3", "a", "bob", "val")]
    with pytest.raises(DimmerError, match="group 'anna' is in test and train: give each group one split"):
        partition(leaky, 0.1, 0.1, 0)


def test_two_groups_do_not_make_three_splits() -> None:
    few = [Member(str(n), "a", f"g{n % 2}", "") for n in range(10)]
    with pytest.raises(DimmerError, match="10 samples in 2 groups leave none for"):
        partition(few, 0.2, 0.2, 0)


def test_anomalies_train_nothing_and_are_shared_out() -> None:
    all_of_them = members({"fine": 100, "worn": 11, "torn": 10})
    found = partition_apart(all_of_them, "fine", 0.15, 0.15, 0)
    counts = Counter((member.label == "fine", split) for member, split in zip(all_of_them, found, strict=True))
    assert counts == {
        (True, "train"): 70,
        (True, "val"): 15,
        (True, "test"): 15,
        (False, "val"): 11,
        (False, "test"): 10,
    }


def test_anomalies_of_a_group_that_is_trained_on_are_left_out() -> None:
    grouped = [Member(f"{n}", ("fine", "worn")[n % 4 == 0], f"g{n % 20}", "") for n in range(200)]
    found = partition_apart(grouped, "fine", 0.2, 0.2, 0)
    of_group: dict[str, set[str]] = defaultdict(set)
    for member, split in zip(grouped, found, strict=True):
        assert (member.label, split) != ("worn", "train")
        of_group[member.group].add(split)
    assert all(len(splits - {""}) <= 1 for splits in of_group.values())
    assert "" in found


@pytest.mark.parametrize(
    ("counts", "said"), [({"fine": 60}, "val has no anomalies"), ({"fine": 60, "worn": 1}, "test has no anomalies")]
)
def test_without_anomalies_there_is_nothing_to_tell_apart(counts: dict[str, int], said: str) -> None:
    with pytest.raises(DimmerError, match=f"{said}.*give some of either"):
        partition_apart(members(counts), "fine", 0.15, 0.15, 0)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 11), st.booleans()), min_size=60, max_size=200),
    st.lists(st.sampled_from(["", "", "train", "val", "test"]), min_size=12, max_size=12),
    st.integers(0, 99),
)
def test_a_group_of_which_some_are_given_is_in_one_split(
    rows: list[tuple[str, int, bool]], given_of: list[str], seed: int
) -> None:
    """The others of it were dealt out anew, and trained while those were tested on."""
    all_of_them = [
        Member(str(n), label, f"g{group}", given_of[group] if says else "")
        for n, (label, group, says) in enumerate(rows)
    ]
    try:
        found = partition(all_of_them, 0.2, 0.2, seed)
    except DimmerError:
        assume(False)
    splits = defaultdict(set)
    for member, split in zip(all_of_them, found, strict=True):
        splits[member.group].add(split)
        assert member.given in ("", "train", split)
    assert all(len(there) == 1 for there in splits.values())
