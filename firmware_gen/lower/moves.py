# SPDX-License-Identifier: Apache-2.0
"""What only moves values: the fewest and longest runs, and the kernel that copies these."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dimmer.firmware_gen.graph.options import Axis, ResizeBilinear, Take
from dimmer.firmware_gen.kernels import portable as k
from dimmer.firmware_gen.lower.context import MAX_RANK, Context
from dimmer.firmware_gen.lower.steps import Buffer, Params, Step, step

MAX_TABLE = 1 << 16


class Moves(Context):
    """TAKE in one of three kernels, and the bilinear resize."""

    def take(self, options: Take) -> tuple[Step, ...]:
        """A step for each part."""
        size = self.output.elements // len(options.parts)
        return tuple(
            self.part(merged(axes), options.fill, Buffer(self.out.id, number * size))
            for number, axes in enumerate(options.parts)
        )

    def part(self, axes: list[Axis], fill: int, output: Buffer) -> Step:
        """A copy of rows where two dimensions will do, a strided copy where four do, or tables of offsets."""
        regular = [axis for axis in axes if isinstance(axis, range) and axis.step > 0]
        if len(regular) < len(axes) or len(axes) > MAX_RANK:
            return self.by_tables(axes, fill, output)
        source = Buffer(self.at(0).id, sum(axis.start for axis in regular))
        if len(regular) <= 2 and all(axis.step == 1 for axis in regular[-1:]):
            rows, run = [range(1), *regular][-2:] if regular else (range(1), range(1))
            return step(
                k.COPY,
                self.layer,
                input=source,
                output=output,
                rows=len(rows),
                row_bytes=len(run),
                input_stride=rows.step,
                output_stride=len(run),
                input_blob=0,
            )
        filler = MAX_RANK - len(regular)
        return step(
            k.TRANSPOSE,
            self.layer,
            input=source,
            output=output,
            dims=(1,) * filler + tuple(len(axis) for axis in regular),
            strides=(0,) * filler + tuple(axis.step for axis in regular),
        )

    def by_tables(self, axes: list[Axis], fill: int, output: Buffer) -> Step:
        """Three tables of offsets, and a run that lies as it is read."""
        run = 1
        if axes and isinstance(axes[-1], range) and axes[-1].step == 1:
            run, start = len(axes[-1]), axes[-1].start
            axes = [*axes[:-1], (start,)] if start else axes[:-1]
        tables: list[Axis] = list(axes)
        while len(tables) > 3:
            # The two neighbours that make the shortest table.
            place = min(range(len(tables) - 1), key=lambda at: len(tables[at]) * len(tables[at + 1]))
            tables[place : place + 2] = [product(tables[place], tables[place + 1])]
        tables = [(0,)] * (3 - len(tables)) + tables
        entries = sum(len(table) for table in tables)
        if entries > MAX_TABLE:
            raise self.error(f"needs {entries} offsets, at most {MAX_TABLE} are kept; reshape or split it")
        return step(
            k.TAKE,
            self.layer,
            input=self.at(0),
            output=output,
            dims=(*(len(table) for table in tables), run),
            offsets=Params(tuple(k.HOLE if offset is None else offset for table in tables for offset in table)),
            fill=fill,
        )

    def resize_bilinear(self, options: ResizeBilinear) -> Step:
        """RESIZE_BILINEAR in TFLite's integers: weights of 10 bits."""
        _, height, width, channels = self.inputs[0].shape
        _, rows, columns, _ = self.output.shape
        table = [
            value
            for size, made, unit in ((height, rows, width * channels), (width, columns, channels))
            for first, second, weight in blends(size, made, options)
            for value in (first * unit, second * unit, weight)
        ]
        return step(
            k.RESIZE_BILINEAR,
            self.layer,
            input=self.at(0),
            output=self.out,
            output_h=rows,
            output_w=columns,
            channels=channels,
            blends=Params(tuple(table)),
        )


def merged(axes: Sequence[Axis]) -> list[Axis]:
    """The same places in the same order, by the fewest and longest dimensions."""
    runs: list[Axis] = []
    start = 0
    for axis in axes:
        if len(axis) == 1 and axis[0] is not None:
            start += axis[0]
            continue
        axis = regular(axis)
        last = runs[-1] if runs else None
        if isinstance(axis, range) and isinstance(last, range) and last.step == len(axis) * axis.step:
            first = last.start + axis.start
            runs[-1] = range(first, first + len(last) * len(axis) * axis.step, axis.step)
        else:
            runs.append(axis)
    if not runs:
        return [range(start, start + 1)]
    if start:
        place = next((at for at, axis in enumerate(runs) if isinstance(axis, range)), 0)
        runs[place] = moved(runs[place], start)
    return runs


def regular(axis: Axis) -> Axis:
    """A range where the entries are one."""
    if isinstance(axis, range) or None in axis:
        return axis
    first, second = axis[0] or 0, axis[1] or 0
    if second == first:
        return axis
    line = range(first, first + len(axis) * (second - first), second - first)
    return line if tuple(line) == axis else axis


def moved(axis: Axis, by: int) -> Axis:
    """Every place `by` elements further."""
    if isinstance(axis, range):
        return range(axis.start + by, axis.stop + by, axis.step)
    return tuple(None if offset is None else offset + by for offset in axis)


def product(outer: Axis, inner: Axis) -> Axis:
    """Two dimensions as one."""
    if len(outer) * len(inner) > MAX_TABLE:
        return (0,) * (len(outer) * len(inner))  # too long, which is told behind
    return tuple(None if a is None or b is None else a + b for a in outer for b in inner)


def blends(size: int, made: int, options: ResizeBilinear) -> list[tuple[int, int, int]]:
    """For each output index two input indexes and the weight of the second of 1024, which may be outside 0..1024,
    `ComputeInterpolationValuesInteger`.
    """
    scale = ((1 << 10) * size + made // 2) // made
    if options.align_corners and made > 1:
        scale = ((1 << 10) * (size - 1) + (made - 1) // 2) // (made - 1)
    found = []
    for index in range(made):
        place = index * scale + (scale // 2 - (1 << 9) if options.half_pixel_centers else 0)
        first = min(max(math.trunc(place / (1 << 10)), 0), size - 1)
        second = min(math.trunc((place + (1 << 10) - 1) / (1 << 10)), size - 1)
        found.append((first, second, place - (first << 10)))
    return found
