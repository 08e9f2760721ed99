# SPDX-License-Identifier: Apache-2.0
"""How good outputs are, with 95 % intervals: of classes, of several labels, of values, of several outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dimmer.pipeline.core.statistics import LEVEL, Z_95, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DRAWS, _SEED = 2000, 0


@dataclass(frozen=True)
class Score:
    """A figure with its 95 % interval.

    Attributes:
        name: "accuracy", "F1", "AUC", "MAE" or "R2", and what it is of.
        value: the figure.
        low, high: ends of the interval.
        unit: of the figure; empty for shares.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True)
class OutputScores:
    """What can be said of one of several outputs.

    Attributes:
        name: of the output.
        task: classes, labels or values.
        classes: names of its classes, labels or values.
        figures: the first says how many samples are right.
        confusion: of classes, as of `Scores`.
    """

    name: str
    task: str
    classes: tuple[str, ...]
    figures: tuple[Score, ...]
    confusion: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Scores:
    """What can be said of the outputs for some samples.

    Attributes:
        samples: how many.
        classes: names of classes, labels or values.
        figures: the first says how many samples are right.
        confusion: of classes: how many of a class, a row each, were taken for each class; else empty.
        outputs: of several outputs, each by itself; `figures` then has all of theirs under their names.
    """

    samples: int
    classes: tuple[str, ...]
    figures: tuple[Score, ...]
    confusion: tuple[tuple[int, ...], ...] = ()
    outputs: tuple[OutputScores, ...] = ()


def share(count: int, of: int) -> tuple[float, float, float]:
    """A share and the ends of its interval (Wilson, 1927).

    Examples:
        >>> [round(end, 3) for end in share(9, 10)]
        [0.9, 0.596, 0.982]
    """
    return count / of, *wilson(count / of, of)


def scores_of_classes(outputs: NDArray[Any], targets: NDArray[Any], classes: Sequence[str]) -> Scores:
    """Accuracy, F1 (the classes' mean) and AUC (each class against the others, their mean), and who is taken for whom.

    Args:
        outputs: float[N,K].
        targets: int64[N].
    """
    count, taken = len(classes), outputs.argmax(1)
    table = np.zeros((count, count), np.int64)
    np.add.at(table, (targets, taken), 1)
    drawn = np.random.default_rng(_SEED).multinomial(len(targets), table.ravel() / len(targets), _DRAWS)
    f1 = _f1(table[np.newaxis])[0], *_ends(_f1(drawn.reshape(-1, count, count)))
    if (right := int(np.trace(table))) in (0, len(targets)):
        # All draws are alike then, which says nothing of other samples: the ends are those of the accuracy.
        f1 = f1[0], *wilson(right / len(targets), len(targets))
    figures = [
        Score("accuracy", *share(int((taken == targets).sum()), len(targets))),
        Score("F1, mean of classes", *f1),
    ]
    areas = [area for c in range(count) if (area := auc(outputs[:, c] - _others(outputs, c), targets == c)) is not None]
    if areas:
        means = [float(np.mean([area[end] for area in areas])) for end in range(3)]
        figures.append(Score("AUC, mean of classes", means[0], means[1], means[2]))
    return Scores(len(targets), tuple(classes), tuple(figures), tuple(tuple(map(int, row)) for row in table))


def scores_of_labels(outputs: NDArray[Any], targets: NDArray[Any], labels: Sequence[str]) -> Scores:
    """How often every label is right; of each label F1 and AUC.

    Args:
        outputs: float[N,K]; over 0 a label is said to hold.
        targets: uint8[N,K].
    """
    said, true = outputs > 0, targets > 0
    figures = [Score("accuracy, all labels", *share(int((said == true).all(1).sum()), len(targets)))]
    rng = np.random.default_rng(_SEED)
    for k, label in enumerate(labels):
        cells = np.array([(said & true)[:, k].sum(), (said & ~true)[:, k].sum(), (~said & true)[:, k].sum()])
        chances = np.append(cells, len(targets) - cells.sum()) / len(targets)
        drawn = rng.multinomial(len(targets), chances, _DRAWS)[:, :3]
        # Where all that hold are found and no others, all draws are alike.
        ends = wilson(1.0, int(cells[0])) if cells[0] and not cells[1:].any() else _ends(_f1_of(drawn))
        figures.append(Score(f"F1, {label}", float(_f1_of(cells[np.newaxis])[0]), *ends))
        if (area := auc(outputs[:, k], true[:, k])) is not None:
            figures.append(Score(f"AUC, {label}", *area))
    return Scores(len(targets), tuple(labels), tuple(figures))


def scores_of_values(
    outputs: NDArray[Any], targets: NDArray[Any], names: Sequence[str], per_one: Sequence[float], units: Sequence[str]
) -> Scores:
    """How often every value is within its tolerance; of each value the mean absolute error and R2.

    Args:
        outputs: float[N,K], in tolerances.
        targets: float32[N,K], the same.
        per_one: the tolerances.
        units: of each value; may be empty.
    """
    errors = outputs.astype(np.float64) - targets
    figures = [Score("accuracy, within tolerance", *share(int((np.abs(errors) <= 1).all(1).sum()), len(targets)))]
    draws = np.random.default_rng(_SEED).integers(0, len(targets), (min(_DRAWS, 500), len(targets)))
    for k, name in enumerate(names):
        unit, size = units[k] if units else "", np.abs(errors[:, k]) * per_one[k]
        figures.append(Score(f"MAE, {name}", float(size.mean()), *_ends(size[draws].mean(1)), unit))
        around = float(((targets[:, k] - targets[:, k].mean()) ** 2).mean())
        if around > 0:
            squares, drawn = errors[:, k] ** 2, targets[:, k][draws].var(1)
            # Of draws that have one value alone there is none.
            there = drawn > 0
            found = 1 - squares[draws].mean(1)[there] / drawn[there]
            figures.append(Score(f"R2, {name}", float(1 - squares.mean() / around), *_ends(found)))
    return Scores(len(targets), tuple(names), tuple(figures))


def scores_of_anomalies(
    errors: NDArray[Any], anomalous: NDArray[np.bool_], limit: float, names: Sequence[str]
) -> Scores:
    """How often an anomaly is told from what is normal, AUC, F1, hits and false alarms.

    Args:
        errors: float[N], larger where a sample is less normal.
        anomalous: bool[N].
        limit: over which a sample is called an anomaly.
        names: of what is normal and of what is not.
    """
    called = errors > limit
    table = tuple(
        (int((of_kind & ~called).sum()), int((of_kind & called).sum())) for of_kind in (~anomalous, anomalous)
    )
    figures = [Score("accuracy", *share(int((called == anomalous).sum()), len(errors)))]
    if (area := auc(errors, anomalous)) is not None:
        figures.append(Score("AUC", *area))
    if anomalous.any():
        figures.append(Score("anomalies found", *share(table[1][1], int(anomalous.sum()))))
    if not anomalous.all():
        figures.append(Score("false alarms", *share(table[0][1], int((~anomalous).sum()))))
    return Scores(len(errors), tuple(names), tuple(figures), table)


def scores_of_outputs(right: NDArray[np.bool_], outputs: Sequence[OutputScores], classes: Sequence[str]) -> Scores:
    """How often every output that decides is right, and all figures of each output.

    Args:
        right: bool[N].
        classes: what the elements of all outputs stand for.
    """
    first = Score("accuracy, outputs that decide", *share(int(right.sum()), len(right)))
    others = [replace(one, name=f"{output.name}: {one.name}") for output in outputs for one in output.figures]
    return Scores(len(right), tuple(classes), (first, *others), outputs=tuple(outputs))


def auc(scores: NDArray[Any], positive: NDArray[np.bool_]) -> tuple[float, float, float] | None:
    """Area under the curve of hits against false alarms, with the interval of Hanley and McNeil (1982).

    None where there are no positive or no negative samples.

    Examples:
        >>> auc(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, False, True, True]))[0]
        1.0
    """
    hits, others = int(positive.sum()), int((~positive).sum())
    if not hits or not others:
        return None
    values, places = np.unique(scores, return_inverse=True)
    counts = np.bincount(places, minlength=len(values))
    # Equal scores share the mean of their ranks.
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    area = float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * others))
    if area in (0.0, 1.0):
        # Its variance is 0 there, which says nothing of other samples: as if the fewer of both had been told apart.
        return area, *wilson(area, min(hits, others))
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (hits - 1) * (q1 - area**2) + (others - 1) * (q2 - area**2)) / (hits * others)
    half = Z_95 * math.sqrt(max(variance, 0.0))
    return area, max(0.0, area - half), min(1.0, area + half)


def _others(outputs: NDArray[Any], c: int) -> NDArray[Any]:
    """The best of the other classes' outputs."""
    best: NDArray[Any] = np.delete(outputs, c, 1).max(1)
    return best


def _f1(tables: NDArray[np.int64]) -> list[float]:
    """Mean F1 of the classes that occur, of tables [M,K,K]."""
    diagonal = np.diagonal(tables, axis1=1, axis2=2).astype(np.float64)
    both = tables.sum(1) + tables.sum(2)
    f1 = np.divide(2 * diagonal, both, out=np.zeros_like(diagonal), where=both > 0)
    there = np.maximum((both > 0).sum(1), 1)
    return [float(value) for value in f1.sum(1) / there]


def _f1_of(cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 of (hits, false alarms, misses), [M,3]."""
    hits, both = 2.0 * cells[:, 0], 2 * cells[:, 0] + cells[:, 1] + cells[:, 2]
    found: NDArray[np.float64] = np.divide(hits, both, out=np.zeros_like(hits), where=both > 0)
    return found


def _ends(drawn: Sequence[float] | NDArray[np.float64]) -> tuple[float, float]:
    """Of figures of samples drawn again, the ends of the middle 95 %."""
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)
