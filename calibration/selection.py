# SPDX-License-Identifier: Apache-2.0
"""Mode selection: which sub-networks are worth their place in flash.

Of the modes that cost the same, the most accurate stays. Of the modes that cost different amounts, one is dropped
when a cheaper one is better *beyond the noise of the validation set*: both classify the same images, so the
comparison is paired (McNemar's exact test on the images that exactly one of the two gets right). A front drawn on raw
accuracies would publish
noise: on 500 images two modes that differ by one image are not different.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Z_ONE_SIDED_95 = 1.6449
_CHANCE = 0.05


@dataclass(frozen=True)
class Candidate:
    """One mode as the validation set sees it.

    Attributes:
        name: the mode.
        cost: MACs or instructions of one inference; the lower the better.
        correct: bool[N], one entry a validation image, the same images for every candidate.
        loss: mean cross-entropy on them; breaks ties of accuracy.
        keep: publish it whatever its accuracy (super-net, base-net, forced modes).
    """

    name: str
    cost: int
    correct: npt.NDArray[np.bool_]
    loss: float
    keep: bool = False

    @property
    def accuracy(self) -> float:
        """Share of images classified right, 0..1."""
        return float(self.correct.mean())


@dataclass(frozen=True)
class Verdict:
    """What became of a candidate: `dominated_by` names the mode that makes it useless, if one does."""

    name: str
    dominated_by: str | None
    reason: str
    published: bool = True


def better_beyond_noise(a: Candidate, b: Candidate) -> bool:
    """Whether `a` is more accurate than `b` with one-sided 95 % confidence on the images that they disagree on."""
    wins = int(np.count_nonzero(a.correct & ~b.correct))
    losses = int(np.count_nonzero(b.correct & ~a.correct))
    return wins >= _least_wins(wins + losses)


@cache
def _least_wins(images: int) -> int:
    """Of so many images that exactly one of two modes gets right, how many the better one has to win: chance alone
    gives as many in at most 5 %, by the exact binomial tail. More than there are where all of them are not enough.

    Examples:
        >>> [_least_wins(images) for images in (3, 4, 5, 10, 100)]
        [4, 5, 5, 9, 59]
    """
    # Logarithms: 2^-images is no float where images are thousands. Ten standard deviations up nothing is left.
    halves = math.lgamma(images + 1) - images * math.log(2)
    wins = min(images, math.ceil(images / 2 + 5 * math.sqrt(images)))
    tail = 0.0
    while True:
        tail += math.exp(halves - math.lgamma(wins + 1) - math.lgamma(images - wins + 1))
        if tail > _CHANCE:
            return wins + 1
        wins -= 1


def select(candidates: Sequence[Candidate]) -> list[Verdict]:
    """The noise-aware Pareto front of accuracy against cost.

    Returns:
        One verdict a candidate, in the order given.
    """
    if len({c.correct.shape for c in candidates}) > 1:
        raise ValueError("candidates were measured on different images")

    def rank(c: Candidate) -> tuple[bool, float, float]:
        return (c.keep, c.accuracy, -c.loss)

    verdicts = []
    for c in candidates:
        if c.keep:
            verdicts.append(Verdict(c.name, None, "kept by the recipe"))
            continue
        same = max((o for o in candidates if o.cost == c.cost), key=rank)
        cheaper = [o for o in candidates if o.cost < c.cost and better_beyond_noise(o, c)]
        if cheaper:
            best = max(cheaper, key=lambda o: o.accuracy)
            why = f"costs less and is better beyond noise ({best.accuracy:.2%} against {c.accuracy:.2%})"
            verdicts.append(Verdict(c.name, best.name, f"{best.name} {why}", published=False))
        elif same is not c:
            why = f"costs the same and predicts better ({same.accuracy:.2%}, loss {same.loss:.4f})"
            reason = f"{same.name} {why}, against {c.accuracy:.2%}, {c.loss:.4f}"
            verdicts.append(Verdict(c.name, same.name, reason, published=False))
        else:
            verdicts.append(Verdict(c.name, None, "best of its cost"))
    return verdicts


def limited(candidates: Sequence[Candidate], verdicts: Sequence[Verdict], limit: int) -> list[Verdict]:
    """Leaves out published modes until at most `limit` are left, those first that the front misses least.

    What a mode adds is its gain in accuracy over the best cheaper mode, times how much cheaper (in powers of two) it is
    than the next dearer one. Modes to keep stay, even beyond the limit.
    """
    by_name = {c.name: c for c in candidates}
    result = {v.name: v for v in verdicts}
    while True:
        left = sorted((by_name[v.name] for v in result.values() if v.published), key=lambda c: -c.cost)
        droppable = [c for c in left if not c.keep]
        if len(left) <= limit or not droppable:
            return [result[v.name] for v in verdicts]

        def adds(c: Candidate, left: Sequence[Candidate] = left) -> tuple[float, float]:
            place = left.index(c)
            gain = c.accuracy - max((o.accuracy for o in left[place + 1 :]), default=0.0)
            cheaper = math.log2(left[place - 1].cost / c.cost) if place else math.inf
            return (max(gain, 0.0) * cheaper if gain > 0 else gain, gain)

        least = min(droppable, key=adds)
        reason = f"adds least to the other modes, of which at most {limit} are published"
        result[least.name] = Verdict(least.name, None, reason, published=False)


def on_target(
    names: Sequence[str], cost: Mapping[str, int], accuracy: Mapping[str, float], unit: str = "instructions"
) -> dict[str, str]:
    """Which modes are not worth running on one target, now that it is known what they take there.

    Args:
        names: the published modes, by falling bit-operations.
        cost: instructions or cycles of one inference each.
        accuracy: on the validation images, 0..1.
        unit: of the cost.

    Returns:
        Mode -> why: a mode with more bit-operations costs no more there, and is right as often. (Modes whose order the
        cost confirms were judged by `select`.)
    """
    found: dict[str, str] = {}
    for place, name in enumerate(names):
        better = [
            o for o in names[:place] if o not in found and cost[o] <= cost[name] and accuracy[o] >= accuracy[name]
        ]
        if better:
            best = min(better, key=lambda o: cost[o])
            found[name] = (
                f"{best} takes {cost[best]:,} {unit} there, this mode {cost[name]:,}, "
                f"and predicts no worse ({accuracy[best]:.2%} against {accuracy[name]:.2%})"
            )
    return found
