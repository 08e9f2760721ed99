# SPDX-License-Identifier: Apache-2.0
"""Where a tensor's elements lie in another one, of which it is a transposed or reshaped view.

An axis is a list of runs, the outer one first: its index counts through them, and each step of a run is so many
elements further. So a view by any transpositions, and by the reshapes that split no run unevenly, needs no copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Run = tuple[int, ...]
"""A size, and of each tensor how many elements a step is."""
Axis = tuple[Run, ...]
View = tuple[Axis, ...]


def plain(shape: Sequence[int]) -> View:
    """A tensor as it lies."""
    return tuple(merged([(size, math.prod(shape[axis + 1 :]))]) for axis, size in enumerate(shape))


def transposed(view: View, permutation: Sequence[int]) -> View:
    """Its axes in another order."""
    return tuple(view[axis] for axis in permutation)


def reshaped(view: View, shape: Sequence[int]) -> View | None:
    """The same elements in the same order by other axes; None where a run would have to be split unevenly."""
    runs = [run for axis in view for run in axis]
    found = []
    for size in shape:
        axis = []
        while size > 1:
            if not runs:
                return None
            length, *steps = runs.pop(0)
            if length > size:
                if length % size:
                    return None
                runs.insert(0, (length // size, *steps))
                steps = [step * (length // size) for step in steps]
                length = size
            if size % length:
                return None
            axis.append((length, *steps))
            size //= length
        found.append(merged(axis))
    return tuple(found)


def merged(axis: Sequence[Run]) -> Axis:
    """The same axis by the fewest runs."""
    found: list[Run] = []
    for run in axis:
        if run[0] == 1:
            continue
        if found and all(outer == run[0] * inner for outer, inner in zip(found[-1][1:], run[1:], strict=True)):
            run = (found.pop()[0] * run[0], *run[1:])
        found.append(run)
    return tuple(found)


def together(*axes: Axis) -> Axis | None:
    """Axes of one size, of a tensor each, as one of all of them; None where their runs do not divide each other."""
    left = [list(axis) for axis in axes]
    found: list[Run] = []
    while any(left):
        if not all(left):
            return None
        size = math.gcd(*(axis[-1][0] for axis in left))
        if size == 1:
            return None
        steps = []
        for axis in left:
            length, step = axis.pop()
            steps.append(step)
            if length > size:
                axis.append((length // size, step * size))
        found.insert(0, (size, *steps))
    return merged(found)


def repeated(view: View, shape: Sequence[int]) -> View:
    """Axes filled up at the front, and repeated where they have one element, as operators broadcast."""
    filled = ((),) * (len(shape) - len(view)) + view
    return tuple(axis if axis or size == 1 else ((size, 0),) for axis, size in zip(filled, shape, strict=True))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the operands and the results of products of matrices lie.

    Attributes:
        batches: of each product, elements to its first operand, its second one, its result.
        rows: of the first operand and the result, two runs at most.
        columns: of the second operand and the result, as many.
        depth: of both operands, as many.
    """

    batches: tuple[tuple[int, int, int], ...]
    rows: Axis
    columns: Axis
    depth: Axis

    def turned(self) -> Layout:
        """The transposed product of the operands in the other order."""
        return Layout(
            tuple((second, first, made) for first, second, made in self.batches),
            self.columns,
            self.rows,
            tuple((size, second, first) for size, first, second in self.depth),
        )


MOST_RUNS = 2


def layout(first: View, second: View, made: View, shape: Sequence[int]) -> Layout | None:
    """The layout of a product; None where an axis has too many runs.

    Args:
        first: with axes rows and depth last.
        second: with axes depth and columns last.
        made: with axes rows and columns last.
        shape: of the result.
    """
    rows, columns = together(first[-2], made[-2]), together(second[-1], made[-1])
    depth = together(first[-1], second[-2])
    if rows is None or columns is None or depth is None:
        return None
    if max(len(rows), len(columns), len(depth)) > MOST_RUNS:
        return None
    outer = shape[:-2]
    places = [offsets(repeated(view[:-2], outer)) for view in (first, second, made)]
    return Layout(tuple(zip(*places, strict=True)), rows, columns, depth)


def offsets(view: View) -> list[int]:
    """Of each element in order."""
    found = [0]
    for axis in view:
        for size, step in axis:
            found = [start + index * step for start in found for index in range(size)]
    return found
