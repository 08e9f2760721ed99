# SPDX-License-Identifier: Apache-2.0
"""Which samples train, which choose between modes, and which are looked at once.

A split that is made depends on the samples' contents and the seed alone: files that are added leave almost all others
where they were. Samples of one group stay together.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dimmer.errors import DimmerError
from dimmer.pipeline.data.readers.sample import SPLITS, TEST, TRAIN, VAL

MANY = 3
"""A class of as many samples or more is in each split."""


@dataclass(frozen=True)
class Member:
    """What decides a sample's split.

    Attributes:
        digest: of its contents, hexadecimal.
        label: its class; empty where samples have none.
        group: what it may not be parted from; empty for nothing.
        given: its split, where it is given; else empty.
    """

    digest: str
    label: str
    group: str
    given: str


def partition(members: Sequence[Member], val: float, test: float, seed: int) -> tuple[str, ...]:
    """The split of each sample.

    Args:
        val: share that is wanted, where no sample's split is given as val.
        test: the same of test.

    Raises:
        DimmerError: a group is in two splits, or the samples are too few for three.
    """
    _refuse_leaks(members)
    members = _following(members)
    there = {member.given for member in members}
    shares = {VAL: 0.0 if VAL in there else val, TEST: 0.0 if TEST in there else test}
    found = [member.given for member in members]
    free = [number for number, member in enumerate(members) if member.given in ("", TRAIN)]
    if any(members[number].group for number in free):
        _by_groups(members, free, shares, seed, found)
    else:
        _by_classes(members, free, shares, seed, found)
    for split in SPLITS:
        if split not in found:
            raise DimmerError(
                f"{len(members)} samples in {_groups(members)} leave none for {split}: give more samples or groups, "
                "or other shares in [data] val and test"
            )
    return tuple(found)


def partition_apart(members: Sequence[Member], normal: str, val: float, test: float, seed: int) -> tuple[str, ...]:
    """As `partition`, with training of the normal label alone; empty for what would be another sample of it.

    Anomalies are shared out evenly between val and test; where samples have groups, they follow theirs.
    """
    if any(member.group for member in members):
        found = list(partition(members, val, test, seed))
    else:
        normals = [member for member in members if member.label == normal]
        own = iter(partition(normals, val, test, seed))
        found = [next(own) if member.label == normal else member.given for member in members]
        free = [n for n, member in enumerate(members) if member.label != normal and not member.given]
        for place, number in enumerate(sorted(free, key=lambda n: _place(seed, members[n].digest))):
            found[number] = (VAL, TEST)[place % 2]
    for number, member in enumerate(members):
        if member.label != normal and found[number] == TRAIN:
            found[number] = ""
    for split in (VAL, TEST):
        labels = {member.label == normal for member, place in zip(members, found, strict=True) if place == split}
        if len(labels) < 2:
            raise DimmerError(
                f"{split} has {'no anomalies' if True in labels else 'nothing normal'}, by which they would be told "
                "apart: give some of either, in more groups where there are groups"
            )
    if TRAIN not in found:
        raise DimmerError("there is nothing normal in training: give more normal samples or groups")
    return tuple(found)


def _groups(members: Sequence[Member]) -> str:
    count = len({member.group for member in members if member.group})
    return f"{count} groups" if count else "no groups"


def _refuse_leaks(members: Sequence[Member]) -> None:
    splits: dict[str, set[str]] = defaultdict(set)
    for member in members:
        if member.group and member.given:
            splits[member.group].add(member.given)
    leaks = {group: found for group, found in splits.items() if len(found) > 1}
    if leaks:
        group, found = next(iter(sorted(leaks.items())))
        more = f", and {len(leaks) - 1} more groups are" if len(leaks) > 1 else ""
        raise DimmerError(
            f"group {group!r} is in {' and '.join(sorted(found))}{more}: give each group one split, or leave "
            "[data] split or group out"
        )


def _following(members: Sequence[Member]) -> Sequence[Member]:
    """A group that is given for val or test is there with all its samples, those too whose split is not said."""
    taken = {member.group: member.given for member in members if member.group and member.given in (VAL, TEST)}
    return [member if member.given else replace(member, given=taken.get(member.group, "")) for member in members]


def _place(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}|{name}".encode()).hexdigest()


def _by_classes(
    members: Sequence[Member], free: Sequence[int], shares: dict[str, float], seed: int, found: list[str]
) -> None:
    """Of each class the shares, rounded; of one that has enough at least one sample each."""
    of_class: dict[str, list[int]] = defaultdict(list)
    for number in free:
        of_class[members[number].label].append(number)
    for numbers in of_class.values():
        numbers.sort(key=lambda number: _place(seed, members[number].digest))
        start = 0
        for split, share in shares.items():
            least = 1 if share and len(numbers) >= MANY else 0
            count = max(round(share * len(numbers)), least)
            for number in numbers[start : start + count]:
                found[number] = split
            start += count
        for number in numbers[start:]:
            found[number] = TRAIN


def _by_groups(
    members: Sequence[Member], free: Sequence[int], shares: dict[str, float], seed: int, found: list[str]
) -> None:
    """Group after group to the split that lacks most of its classes; a sample without a group is one of its own."""
    labels = sorted({members[number].label for number in free})
    groups: dict[str, list[int]] = defaultdict(list)
    for number in free:
        groups[members[number].group or members[number].digest].append(number)
    names = {TRAIN: 1 - sum(shares.values()), **{split: share for split, share in shares.items() if share}}
    counts = {name: _counts(members, numbers, labels) for name, numbers in groups.items()}
    total = np.sum(list(counts.values()), axis=0)
    taken: set[str] = set()
    missing = {split: share * total for split, share in names.items()}
    wanted = {split: np.maximum(share * total, 1e-9) for split, share in names.items()}
    # The large ones first, so that the small ones even out what they leave; equal ones in an order of the seed.
    for name in sorted(groups, key=lambda name: (-len(groups[name]), _place(seed, name))):
        # Of splits that lack as much, one that has nothing yet.
        lacks = {split: float((missing[split] / wanted[split] * counts[name]).sum()) for split in names}
        best = max(names, key=lambda split: (round(lacks[split], 6), split not in taken))
        taken.add(best)
        missing[best] = missing[best] - counts[name]
        for number in groups[name]:
            found[number] = best


def _counts(
    members: Sequence[Member], numbers: Sequence[int], labels: Sequence[str]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    counts = np.zeros(len(labels))
    for number in numbers:
        counts[labels.index(members[number].label)] += 1
    return counts
