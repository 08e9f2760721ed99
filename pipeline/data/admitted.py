# SPDX-License-Identifier: Apache-2.0
"""Which samples are admitted to a data set of one's own, what they stand for, and to which split they go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import ANOMALY, CLASSES, LABELS, OwnData
from dimmer.pipeline.data.partition import Member, partition, partition_apart
from dimmer.pipeline.data.readers.sample import SPLITS, TEST, TRAIN, VAL, Problem, Sample
from dimmer.toml import plain


def target_of(data: OwnData, sample: Sample, problems: list[Problem]) -> NDArray[Any] | None:
    """What a sample stands for; None, and a problem, where that cannot be."""
    section = data.section
    if section.task in (CLASSES, ANOMALY):
        if sample.labels[0] not in section.classes:
            problems.append(Problem(sample.name, f"its class {plain(sample.labels[0])!r} is not in [data] classes"))
            return None
        return np.asarray(section.classes.index(sample.labels[0]), np.int64)
    try:
        found = np.array([float(label) for label in sample.labels])
    except ValueError:
        found = np.array([np.nan])
    good = np.isin(found, (0, 1)).all() if section.task == LABELS else np.isfinite(found).all()
    if not good:
        wanted = "0 or 1 for each label" if section.task == LABELS else "a number for each value"
        problems.append(Problem(sample.name, f"has {plain(', '.join(sample.labels))!r}, not {wanted}"))
        return None
    return found.astype(np.uint8) if section.task == LABELS else found


def without_copies(
    rows: Sequence[Sample], digests: Sequence[str], targets: Sequence[NDArray[Any]], problems: list[Problem]
) -> list[int]:
    """Positions of the samples, each content once; what is in two splits stays in the one that judges."""
    same: dict[str, list[int]] = defaultdict(list)
    for number, digest in enumerate(digests):
        same[digest].append(number)
    kept = []
    for numbers in same.values():
        first = min(numbers, key=lambda n: ((TEST, VAL, TRAIN, "").index(rows[n].split), n))
        others = [n for n in numbers if n != first]
        if any((targets[n] != targets[first]).any() for n in others):
            problems.extend(
                Problem(rows[n].name, f"is the same as {rows[first].name}, with another label") for n in others
            )
            problems.append(Problem(rows[first].name, f"is the same as {rows[others[0]].name}, with another label"))
            continue
        problems.extend(
            Problem(rows[n].name, f"is the same as {rows[first].name}{_leak(rows[n], rows[first])}") for n in others
        )
        kept.append(first)
    return sorted(kept)


def _leak(sample: Sample, first: Sample) -> str:
    return f", which is in {first.split}" if first.split and sample.split != first.split else ""


def _member(task: str, sample: Sample, digest: str) -> Member:
    return Member(digest, sample.labels[0] if task in (CLASSES, ANOMALY) else "", sample.group, sample.split)


def shuffled(numbers: list[int], seed: int) -> list[int]:
    """The numbers in an order that the seed decides."""
    return [numbers[n] for n in np.random.default_rng(seed).permutation(len(numbers))]


def refuse_missing(data: OwnData, labels: Sequence[int]) -> None:
    """Refuses a training part that lacks a class.

    Raises:
        DimmerError: it does.
    """
    seen = set(labels)
    missing = [name for number, name in enumerate(data.section.classes) if number not in seen]
    if missing:
        raise DimmerError(
            f"{plain(str(data))}: class {plain(missing[0])!r} has no sample in training: give more of it, or take it "
            "out of [data] classes"
        )


def divided(
    data: OwnData, rows: Sequence[Sample], digests: Sequence[str], kept: Sequence[int], problems: list[Problem]
) -> dict[str, list[int]]:
    """Split -> positions of its samples, shuffled.

    Args:
        rows: all samples; their arrays count for nothing.
        digests: of their contents.
        kept: positions of those that are admitted.
        problems: what is in no split is added.

    Raises:
        DimmerError: they cannot be split.
    """
    section = data.section
    members = [_member(section.task, rows[n], digests[n]) for n in kept]
    try:
        if section.task == ANOMALY:
            splits = partition_apart(members, section.classes[0], section.val, section.test, section.seed)
        else:
            splits = partition(members, section.val, section.test, section.seed)
    except DimmerError as error:
        left_out = f" ({len(problems)} files or samples are left out, the first: {problems[0]})" if problems else ""
        raise DimmerError(f"{plain(str(data))}: {error}{left_out}") from error
    for number, split in zip(kept, splits, strict=True):
        if not split:
            problems.append(Problem(rows[number].name, "is an anomaly among what is trained on"))
    return {
        name: shuffled([n for n, split in zip(kept, splits, strict=True) if split == name], section.seed)
        for name in SPLITS
    }
