# SPDX-License-Identifier: Apache-2.0
"""Which samples are admitted to a data set of one's own, what they stand for, and to which split they go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.data.ends import OutputSection
from dimmer.pipeline.data.own import ANOMALY, CLASSES, LABELS, DataSection, OwnData
from dimmer.pipeline.data.partition import Member, partition, partition_apart
from dimmer.pipeline.data.readers.sample import SPLITS, TEST, TRAIN, VAL, Problem, Sample
from dimmer.toml import plain


def target_of(data: OwnData, sample: Sample, problems: list[Problem]) -> NDArray[Any] | None:
    """What a sample stands for; None, and a problem, where that cannot be."""
    section = data.section
    if section.outputs:
        return _targets_of(section.outputs, sample, problems)
    if section.task in (CLASSES, ANOMALY):
        if sample.labels[0] not in section.classes:
            problems.append(Problem(sample.name, f"its class {plain(sample.labels[0])!r} is not in [data] classes"))
            return None
        return np.asarray(section.classes.index(sample.labels[0]), np.int64)
    found, wanted = _numbers(section.task, sample.labels)
    if found is None:
        problems.append(Problem(sample.name, f"has {plain(', '.join(sample.labels))!r}, not {wanted}"))
        return None
    return found.astype(np.uint8) if section.task == LABELS else found


def _numbers(task: str, labels: Sequence[str]) -> tuple[NDArray[np.float64] | None, str]:
    """Labels or values; None where they are no such thing, and what they should be."""
    try:
        found = np.array([float(label) for label in labels])
    except ValueError:
        found = np.array([np.nan])
    good = np.isin(found, (0, 1)).all() if task == LABELS else np.isfinite(found).all()
    return found if good else None, "0 or 1 for each label" if task == LABELS else "a number for each value"


def _targets_of(
    outputs: Sequence[OutputSection], sample: Sample, problems: list[Problem]
) -> NDArray[np.float64] | None:
    """What a sample stands for at each of several outputs, one behind the other; None, and a problem, if it cannot."""
    parts, at = [], 0
    for output in outputs:
        labels = sample.labels[at : at + output.numbers]
        at += output.numbers
        if output.task != CLASSES:
            found, wanted = _numbers(output.task, labels)
            said = f"{output.name}: has {plain(', '.join(labels))!r}, not {wanted}"
        else:
            known = labels[0] in output.classes
            found = np.array([float(output.classes.index(labels[0]))]) if known else None
            said = f"{output.name}: its class {plain(labels[0])!r} is not in its classes"
        if found is None:
            problems.append(Problem(sample.name, said))
            return None
        parts.append(found)
    return np.concatenate(parts)


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


def _member(section: DataSection, sample: Sample, digest: str) -> Member:
    """Of several outputs the first of classes is what splits share out evenly."""
    label = sample.labels[0] if section.task in (CLASSES, ANOMALY) else ""
    if section.parting and section.outputs:
        label = sample.labels[section.label.index(section.parting[0])]
    return Member(digest, label, sample.group, sample.split)


def shuffled(numbers: list[int], seed: int) -> list[int]:
    """The numbers in an order that the seed decides."""
    return [numbers[n] for n in np.random.default_rng(seed).permutation(len(numbers))]


def refuse_missing(data: OwnData, labels: Sequence[int]) -> None:
    """Refuses a training part that lacks a class.

    Raises:
        DimmerError: it does.
    """
    _refuse_missing(data, data.section.classes, labels, "[data]")


def refuse_missing_of(data: OwnData, targets: NDArray[np.float64]) -> None:
    """The same of several outputs; targets float64[N,T] of training, as `target_of` gives them.

    Raises:
        DimmerError: it lacks a class of one.
    """
    at = 0
    for output in data.section.outputs:
        if output.task == CLASSES:
            _refuse_missing(data, output.classes, targets[:, at].tolist(), f"output {output.name}'s")
        at += output.numbers


def _refuse_missing(data: OwnData, classes: Sequence[str], labels: Sequence[float], whose: str) -> None:
    seen = set(labels)
    missing = [name for number, name in enumerate(classes) if number not in seen]
    if missing:
        raise DimmerError(
            f"{plain(str(data))}: class {plain(missing[0])!r} has no sample in training: give more of it, or take it "
            f"out of {whose} classes"
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
    members = [_member(section, rows[n], digests[n]) for n in kept]
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
