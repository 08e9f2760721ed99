# SPDX-License-Identifier: Apache-2.0
"""The null that a mode with bits per block, or a gate, has to beat: time-sharing two uniform modes.

Any device can alternate two modes; that gives every point of the line between them. What lies on the concave envelope
of the uniform modes, or under it, is worth nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """A mode.

    Attributes:
        cost: of an inference, in any unit.
        accuracy: in any unit.
    """

    name: str
    cost: float
    accuracy: float


@dataclass(frozen=True)
class Envelope:
    """The upper concave envelope of some modes.

    Attributes:
        vertices: by rising cost and accuracy.
    """

    vertices: tuple[Point, ...]

    def mixture(self, cost: float) -> Mapping[str, float]:
        """Mode -> share of the inferences that it has in the best time-sharing of at most a mean cost.

        Under the cheapest mode it is that one, which is dearer: the null is the harder for it.
        """
        before = self.vertices[0]
        for vertex in self.vertices:
            if vertex.cost > cost:
                if vertex is before:
                    break
                share = (cost - before.cost) / (vertex.cost - before.cost)
                return {before.name: 1 - share, vertex.name: share} if share > 0 else {before.name: 1.0}
            before = vertex
        return {before.name: 1.0}


def envelope(points: Mapping[str, tuple[float, float]]) -> Envelope:
    """The envelope of modes.

    Args:
        points: mode -> cost and accuracy; at least one.

    Examples:
        >>> [v.name for v in envelope({"8": (16, 91), "4": (11, 90.5), "2": (9, 87), "1": (8, 70)}).vertices]
        ['1', '2', '4', '8']
        >>> [v.name for v in envelope({"8": (16, 91), "4": (12, 88), "2": (8, 87)}).vertices]
        ['2', '8']
    """
    kept: list[Point] = []
    for name, (cost, accuracy) in sorted(points.items(), key=lambda item: (item[1][0], -item[1][1], item[0])):
        point = Point(name, cost, accuracy)
        if kept and accuracy <= kept[-1].accuracy:
            continue
        while len(kept) > 1 and _slope(kept[-2], kept[-1]) <= _slope(kept[-2], point):
            kept.pop()
        kept.append(point)
    return Envelope(tuple(kept))


def _slope(one: Point, other: Point) -> float:
    return (other.accuracy - one.accuracy) / (other.cost - one.cost)
