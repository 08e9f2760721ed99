# SPDX-License-Identifier: Apache-2.0
"""The modes that are worth choosing from: the concave hull of accuracy over cost.

A device that changes mode between inferences reaches every mean cost between two modes, with the mean of their
accuracies. A mode under the line between two others is never worth running: a mixture of those is more accurate and
costs the same. Neither is one that lies over the line by no more than noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimmer.calibration.selection import Z_ONE_SIDED_95

Right = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Hull:
    """What is chosen from.

    Attributes:
        modes: by rising cost.
        left_out: every other mode -> why, for people.
        knee: the mode to run where nothing is known of the battery: highest over the line from the cheapest mode to
            the best one.
    """

    modes: tuple[str, ...]
    left_out: Mapping[str, str]
    knee: str


@dataclass(frozen=True)
class _Vertex:
    name: str
    cost: float
    accuracy: float


def concave_hull(
    costs: Mapping[str, float],
    accuracy: Mapping[str, float],
    images: int,
    most: int = 8,
    right: Mapping[str, Right] | None = None,
) -> Hull:
    """The upper concave hull of accuracy over cost, beyond noise, from leaving an inference out to the best mode.

    The standard error of a mode's height over the line between its neighbours is that of its mean over images, where it
    is known which of them each mode classifies rightly. Else it is taken as if their mistakes were independent, which
    is about twice as much: a mode stays if it is surely of use. The cheapest of the hull and the most accurate mode
    stay in any case.

    Args:
        costs: mode -> of an inference on the target, over 0, in any unit.
        accuracy: mode -> on the validation images, 0..1.
        images: how many those were.
        most: modes to keep; of more, those that add least go.
        right: mode -> bool[images], the same images for all.

    Examples:
        >>> costs = {"88": 30, "44": 20, "22": 15, "20": 10}
        >>> concave_hull(costs, {"88": 0.93, "44": 0.91, "22": 0.82, "20": 0.8}, images=10_000).modes
        ('20', '44', '88')
    """
    left_out: dict[str, str] = {}
    kept = [_Vertex("", 0.0, 0.0)]
    for name in sorted(costs, key=lambda n: (costs[n], -accuracy[n], n)):
        vertex = _Vertex(name, costs[name], accuracy[name])
        if vertex.accuracy <= kept[-1].accuracy:
            left_out[name] = f"{kept[-1].name} costs no more and is right as often"
            continue
        while len(kept) > 1 and _height(kept[-2], kept[-1], vertex) <= 0:
            below = kept.pop()
            left_out[below.name] = _mixture(kept[-1], below, vertex)
        kept.append(vertex)
    while len(kept) > 3:
        around = {i: (kept[i - 1], kept[i], kept[i + 1]) for i in range(2, len(kept) - 1)}
        sure = {i: _height(*three) / _error(images, right, *three) for i, three in around.items()}
        least = min(sure, key=lambda i: sure[i])
        if sure[least] > Z_ONE_SIDED_95 and len(kept) - 1 <= most:
            break
        before, mode, after = around[least]
        points = f"{100 * _height(before, mode, after):.2f} % more than a mixture of {before.name} and {after.name}"
        why = f"within the noise of {images:,} images" if sure[least] <= Z_ONE_SIDED_95 else f"{most} modes add more"
        left_out[mode.name] = f"is right in {points}: {why}"
        del kept[least]
    modes = kept[1:]
    # Of equals the better one.
    knee = max(reversed(modes), key=lambda mode: _height(modes[0], mode, modes[-1]) if len(modes) > 1 else 0.0)
    return Hull(tuple(vertex.name for vertex in modes), left_out, knee.name)


def _share(before: _Vertex, mode: _Vertex, after: _Vertex) -> float:
    """How much of `after` a mixture has that costs as much as `mode`."""
    return (mode.cost - before.cost) / (after.cost - before.cost)


def _height(before: _Vertex, mode: _Vertex, after: _Vertex) -> float:
    """Accuracy over that of the mixture."""
    share = _share(before, mode, after)
    return mode.accuracy - (1 - share) * before.accuracy - share * after.accuracy


def _error(images: int, right: Mapping[str, Right] | None, before: _Vertex, mode: _Vertex, after: _Vertex) -> float:
    """Standard error of the height."""
    share = _share(before, mode, after)
    if right is not None:
        below = (1 - share) * right[before.name] if before.name else 0.0
        heights = right[mode.name] - below - share * right[after.name]
        return max(float(np.std(heights)), 1 / images) / math.sqrt(images)
    weighted = ((mode, 1.0), (before, 1 - share), (after, share))
    return math.sqrt(sum(w * w * max(v.accuracy * (1 - v.accuracy), 1 / images) / images for v, w in weighted))


def _mixture(before: _Vertex, mode: _Vertex, after: _Vertex) -> str:
    more = max(-100 * _height(before, mode, after), 0.0)
    what = f"a mixture of {before.name} and {after.name}" if before.name else f"{after.name}, now and then left out,"
    return f"{what} costs the same and is right in {more:.2f} % more"
