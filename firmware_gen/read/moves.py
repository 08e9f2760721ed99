# SPDX-License-Identifier: Apache-2.0
"""Records of operators that only move values: each output dimension becomes the places in the input that it reads."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from dimmer.firmware_gen.graph.options import Axis, Gather, ResizeBilinear, Take
from dimmer.firmware_gen.graph.types import Concatenation, DType, Options, Reshape
from dimmer.firmware_gen.read.record import RecordReader

MAX_LISTED = 0xFFFF
"""Entries of a dimension that are kept one by one."""
MAX_ENTRIES = 1 << 20
"""Of all parts together, of an operator that takes its input apart."""

Read = tuple[Options, tuple[int, ...]]


def whole(shape: tuple[int, ...]) -> list[range]:
    """Every dimension of a dense tensor as it lies."""
    return [range(0, size * step, step) for size, step in zip(shape, strides(shape), strict=True)]


def strides(shape: tuple[int, ...]) -> list[int]:
    """Elements from one index of each dimension to the next."""
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]


class MoveReader(RecordReader):
    """Slices, splits, gathers, resizing, and what exchanges space for depth or batch."""

    def _moved(self, least: int, most: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Inputs, and the shape of the first one."""
        inputs = self._inputs(least, most)
        self._activations(inputs[0], self._record.outputs[0])
        return inputs, self.tensor(inputs[0]).shape

    def _take(self, axes: list[Axis], shape: tuple[int, ...], fill: int = 0) -> Take:
        self._shape(shape)
        return Take((tuple(axes),), fill)

    def _listed(self, size: int) -> range:
        """The indexes along a dimension that is looked up index by index."""
        if size > MAX_LISTED:
            raise self.error(f"has a dimension of {size}, at most {MAX_LISTED} are supported; reshape before it")
        return range(size)

    def _axis(self, axis: int, rank: int) -> int:
        if not -rank <= axis < rank:
            raise self.error(f"has the axis {axis} for an input of {rank} dimensions; convert the model again")
        return axis % rank

    def _same_bytes(self) -> Read:
        """EXPAND_DIMS and SQUEEZE."""
        inputs = self._inputs(1, 2)
        if self._plain(inputs[0], self._record.outputs[0]):
            shape = self.tensor(inputs[0]).shape
        else:
            inputs, shape = self._moved(1, 2)
        output = self._output.shape
        if [size for size in shape if size != 1] != [size for size in output if size != 1]:
            raise self.error(f"makes {list(output)} of {list(shape)}, which is not the same; convert the model again")
        return Reshape(), inputs[:1]

    def _strided_slice(self) -> Read:
        inputs, shape = self._moved(4, 4)
        begins, ends, steps = (
            self._parameter(index, what) for index, what in zip(inputs[1:], ("begin", "end", "strides"), strict=True)
        )
        if not len(begins) == len(ends) == len(steps):
            raise self.error(f"has {len(begins)} begins, {len(ends)} ends, {len(steps)} strides; convert it again")
        masks = [
            self._int(f"{name}Mask", 0, 0xFFFF_FFFF) for name in ("Begin", "End", "Ellipsis", "NewAxis", "ShrinkAxis")
        ]
        rest = len(shape) - sum(1 for place in range(len(begins)) if not (masks[2] | masks[3]) >> place & 1)
        axes: list[Axis] = []
        made: list[int] = []
        lie = whole(shape)
        relative = bool(self._record.options.get("Offset"))
        for place, (begin, end, step) in enumerate(zip(begins, ends, steps, strict=True)):
            bits = [mask >> place & 1 for mask in masks]
            if bits[2]:
                if rest < 1:
                    raise self.error("has an ellipsis for no dimension, which TFLite takes for one; leave it out")
                for _ in range(rest):
                    made.append(len(lie[0]))
                    axes.append(lie.pop(0))
                rest = 0
                continue
            if bits[3]:
                made.append(1)
                continue
            if not lie or step == 0 or (bits[4] and step < 0):
                raise self.error(f"has the strides {list(steps)} for {list(shape)}; convert the model again")
            axis = lie.pop(0)
            if relative:
                end += begin
            if bits[4]:
                begin = 0 if bits[0] else begin
                if not -len(axis) <= begin < len(axis):
                    raise self.error(f"takes index {begin} of {len(axis)}; convert the model again")
                axes.append(axis[begin % len(axis) :][:1])
                continue
            part = axis[slice(None if bits[0] else begin, None if bits[1] else end, step)]
            made.append(len(part))
            axes.append(part)
        made += [len(axis) for axis in lie]
        return self._take([*axes, *lie], tuple(made)), inputs[:1]

    def _slice(self) -> Read:
        inputs, shape = self._moved(3, 3)
        begins, sizes = self._parameter(inputs[1], "begin"), self._parameter(inputs[2], "size")
        if not len(begins) == len(sizes) == len(shape):
            raise self.error(f"takes {list(sizes)[:8]} from {list(begins)[:8]} of {list(shape)}; convert it again")
        axes: list[Axis] = []
        for axis, begin, size in zip(whole(shape), begins, sizes, strict=True):
            size = len(axis) - begin if size == -1 else size
            if not 0 <= begin < begin + size <= len(axis):
                raise self.error(f"takes {size} from {begin} of a dimension of {len(axis)}; convert the model again")
            axes.append(axis[begin : begin + size])
        return self._take(axes, tuple(len(axis) for axis in axes)), inputs[:1]

    def _split(self) -> list[Read]:
        """SPLIT, SPLIT_V and UNPACK: one move for each output."""
        kind, outputs = self._record.kind, self._record.outputs
        whole_record = self._record
        inputs = self._inputs(*{"SPLIT": (2, 2), "SPLIT_V": (3, 3), "UNPACK": (1, 1)}[kind])
        data = inputs[1] if kind == "SPLIT" else inputs[0]
        self._activations(data)
        shape = self.tensor(data).shape
        given = self._int("Axis", -8, 8) if kind == "UNPACK" else self._one(inputs[0 if kind == "SPLIT" else 2], "axis")
        axis = self._axis(given, len(shape))
        if kind == "SPLIT_V":
            sizes = list(self._parameter(inputs[1], "sizes"))
            if sizes.count(-1) == 1:
                sizes[sizes.index(-1)] = shape[axis] - sum(sizes) - 1
        else:
            sizes = [shape[axis] // len(outputs)] * len(outputs)
        if sum(sizes) != shape[axis] or len(sizes) != len(outputs) or min(sizes) <= 0:
            raise self.error(
                f"makes {len(outputs)} parts {sizes[:8]} of dimension {axis} of {list(shape)}; convert the model again"
            )
        if kind == "UNPACK" and sizes[0] != 1:
            raise self.error(f"has {len(outputs)} outputs for {list(shape)}; convert the model again")
        found: list[Read] = []
        start = 0
        for output, size in zip(outputs, sizes, strict=True):
            self._record = replace(whole_record, outputs=(output,))
            self._activations(output)
            axes: list[Axis] = [*whole(shape)]
            axes[axis] = axes[axis][start : start + size]
            kept = () if kind == "UNPACK" else (size,)
            found.append((self._take(axes, (*shape[:axis], *kept, *shape[axis + 1 :])), (data,)))
            start += size
        return found

    def _one(self, index: int, what: str) -> int:
        values = self._parameter(index, what)
        if len(values) != 1:
            raise self.error(f"has {len(values)} values as its {what}, expected 1; convert the model again")
        return values[0]

    def _pack(self) -> Read:
        inputs = self._inputs(1, 64)
        self._activations(self._record.outputs[0])
        self._int8(*inputs)
        self._same_quantisation(*inputs)
        shapes = {self.tensor(index).shape for index in inputs}
        shape = self.tensor(inputs[0]).shape
        axis = self._axis(self._int("Axis", -8, 8), len(shape) + 1)
        if len(shapes) > 1:
            raise self.error("packs inputs of different shapes; convert the model again")
        self._shape((*shape[:axis], len(inputs), *shape[axis:]))
        return Concatenation(axis), inputs

    def _gather(self) -> Read:
        inputs = self._inputs(2, 2)
        indexes = self.tensor(inputs[1])
        if not indexes.constant:
            return self._looked_up(inputs)
        inputs, shape = self._moved(2, 2)
        if self._int("BatchDims", -8, 8) or not shape:
            raise self.error("gathers from a scalar, or batch by batch; gather along one dimension of all")
        axis = self._axis(self._int("Axis", -8, 8), len(shape))
        if indexes.data is None or indexes.dtype is not DType.INT32:
            raise self.error(f"needs int32 indexes, {indexes.name} is {indexes.dtype.value}; convert the model again")
        self._listed(indexes.elements)
        values = np.frombuffer(indexes.data, "<i4").tolist()
        if any(not 0 <= value < shape[axis] for value in values):
            raise self.error(f"takes an index outside 0..{shape[axis] - 1}; convert the model again")
        axes: list[Axis] = [*whole(shape)]
        axes[axis] = tuple(axes[axis][value] for value in values)
        return self._take(axes, (*shape[:axis], *indexes.shape, *shape[axis + 1 :])), inputs[:1]

    def _looked_up(self, inputs: tuple[int, ...]) -> Read:
        """GATHER by computed indexes, from a table in flash or from an activation."""
        self._int8(inputs[0], self._record.outputs[0])
        source, indexes = (self.tensor(index) for index in inputs)
        if self._int("BatchDims", -8, 8) or not source.shape:
            raise self.error("gathers from a scalar, or batch by batch; gather along one dimension of all")
        if indexes.dtype is not DType.INT32:
            raise self.error(f"takes indexes of {indexes.dtype.value}, {indexes.name}; export them as int32")
        if source.dtype is not self._output.dtype or source.q.per_channel:
            raise self.error(f"looks up {source.name}, which has no one scale; quantise activations per tensor")
        axis, shape = self._axis(self._int("Axis", -8, 8), len(source.shape)), source.shape
        self._shape((*shape[:axis], *indexes.shape, *shape[axis + 1 :]))
        return Gather(axis), inputs

    def _reverse(self) -> Read:
        inputs, shape = self._moved(2, 2)
        axes: list[Axis] = [*whole(shape)]
        for given in self._parameter(inputs[1], "axes"):
            axis = self._axis(given, len(shape))
            axes[axis] = axes[axis][::-1]
        return self._take(axes, shape), inputs[:1]

    def _tile(self) -> Read:
        inputs, shape = self._moved(2, 2)
        times = self._parameter(inputs[1], "multiples")
        if len(times) != len(shape) or min(times, default=1) < 1:
            raise self.error(f"repeats {list(shape)} {list(times)[:8]} times; convert the model again")
        for size, count in zip(shape, times, strict=True):
            self._listed(size * count)
        axes: list[Axis] = [tuple(axis) * count for axis, count in zip(whole(shape), times, strict=True)]
        return self._take(axes, tuple(len(axis) for axis in axes)), inputs[:1]

    def _broadcast_to(self) -> Read:
        inputs, shape = self._moved(2, 2)
        wanted = self._parameter(inputs[1], "shape")
        padded = (1,) * (len(wanted) - len(shape)) + shape
        if len(padded) != len(wanted) or any(a not in (1, b) for a, b in zip(padded, wanted, strict=True)):
            raise self.error(f"makes {list(wanted)[:8]} of {list(shape)}; convert the model again")
        axes: list[Axis] = [
            axis if len(axis) == size else (0,) * len(self._listed(size))
            for axis, size in zip(whole(padded), wanted, strict=True)
        ]
        return self._take(axes, wanted), inputs[:1]

    def _mirror_pad(self) -> Read:
        inputs, shape = self._moved(2, 2)
        amounts = self._parameter(inputs[1], "paddings")
        inner = 1 - self._int("Mode", 0, 1)  # REFLECT leaves the border itself out, SYMMETRIC repeats it
        if len(amounts) != 2 * len(shape):
            raise self.error(f"has the paddings {list(amounts)[:16]} for {list(shape)}; convert the model again")
        axes: list[Axis] = []
        for axis, before, after in zip(whole(shape), amounts[0::2], amounts[1::2], strict=True):
            size = len(axis)
            if not (0 <= before <= size - inner and 0 <= after <= size - inner):
                raise self.error(f"mirrors {before} and {after} of a dimension of {size}; convert the model again")
            if before or after:
                self._listed(size)
                left = [axis[place] for place in range(before - 1 + inner, inner - 1, -1)]
                right = [axis[size - 1 - place - inner] for place in range(after)]
                axes.append((*left, *axis, *right))
            else:
                axes.append(axis)
        return self._take(axes, tuple(len(axis) for axis in axes)), inputs[:1]

    def _depth_space(self) -> Read:
        """SPACE_TO_DEPTH and DEPTH_TO_SPACE."""
        inputs, _ = self._moved(1, 1)
        height, width, channels = self._image(inputs[0])
        block = self._int("BlockSize", 1, 0xFFFF)
        deep = self._record.kind == "SPACE_TO_DEPTH"
        if (height % block or width % block) if deep else channels % (block * block):
            raise self.error(f"has blocks of {block} for {[1, height, width, channels]}; convert the model again")
        if deep:
            row, step = width * channels, channels
            axes: list[Axis] = [
                range(0, height * row, block * row),
                range(0, row, block * step),
                range(0, block * row, row),
                range(0, block * step, step),
                range(channels),
            ]
            return self._take(axes, (1, height // block, width // block, channels * block * block)), inputs
        left = channels // (block * block)
        axes = [
            range(0, height * width * channels, width * channels),
            range(0, channels, block * left),
            range(0, width * channels, channels),
            range(0, block * left, left),
            range(left),
        ]
        return self._take(axes, (1, height * block, width * block, left)), inputs

    def _batch_space(self) -> Read:
        """SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND of images or sequences."""
        inputs, shape = self._moved(3, 3)
        blocks, amounts = self._parameter(inputs[1], "block shape"), self._parameter(inputs[2], "paddings or crops")
        count = len(blocks)
        if (
            len(shape) < count + 1
            or len(amounts) != 2 * count
            or min((*blocks, *amounts), default=0) < 0
            or 0 in blocks
        ):
            raise self.error(f"has blocks {list(blocks)[:8]} for {list(shape)}; convert the model again")
        before, after = amounts[0::2], amounts[1::2]
        total = math.prod(blocks)
        lie = whole(shape)
        if self._record.kind == "BATCH_TO_SPACE_ND":
            if shape[0] != total:
                raise self.error(f"makes no batch of 1 of {list(shape)} by blocks {list(blocks)}; use a batch of 1")
            steps = strides(blocks)
            axes: list[Axis] = []
            for place, block in enumerate(blocks):
                size = len(self._listed(shape[place + 1] * block))
                at = range(before[place], size - after[place])
                unit = steps[place] * math.prod(shape[1:])
                axes.append(tuple(lie[place + 1][i // block] + i % block * unit for i in at))
            made = tuple(len(axis) for axis in axes)
            return self._take([*axes, *lie[count + 1 :]], (1, *made, *shape[count + 1 :])), inputs[:1]
        if shape[0] != 1:
            raise self.error(f"has a batch of {shape[0]}; export with a fixed batch of 1")
        sizes = [shape[place + 1] + before[place] + after[place] for place in range(count)]
        if any(self._listed(size)[-1:] and size % block for size, block in zip(sizes, blocks, strict=True)):
            raise self.error(f"has blocks {list(blocks)} for {sizes}; convert the model again")
        made = tuple(size // block for size, block in zip(sizes, blocks, strict=True))
        if (entries := total * sum(made)) > MAX_ENTRIES:
            raise self.error(f"needs {entries} indexes for blocks {list(blocks)}, at most {MAX_ENTRIES} are supported")
        self._shape((total, *made, *shape[count + 1 :]))
        parts = []
        for corner in np.ndindex(*blocks):
            axes = []
            for place, (size, block) in enumerate(zip(sizes, blocks, strict=True)):
                at = range(corner[place] - before[place], size - before[place], block)
                axes.append(tuple(lie[place + 1][i] if 0 <= i < shape[place + 1] else None for i in at))
            parts.append((*axes, *lie[count + 1 :]))
        return Take(tuple(parts), self._output.q.zero_point), inputs[:1]

    def _resized(self) -> tuple[tuple[int, ...], tuple[int, int, int], tuple[int, int], bool, bool]:
        inputs, _ = self._moved(2, 2)
        image = self._image(inputs[0])
        size = self._parameter(inputs[1], "size")
        if len(size) != 2 or min(size) < 1:
            raise self.error(f"has the size {list(size)[:8]}, expected height and width; convert the model again")
        for length in (*image[:2], *size):
            self._listed(length)
        self._shape((1, *size, image[2]))
        corners, centres = bool(self._number("AlignCorners")), bool(self._number("HalfPixelCenters"))
        return inputs[:1], image, (size[0], size[1]), corners, centres

    def _resize_nearest(self) -> Read:
        inputs, image, size, corners, centres = self._resized()
        lie = whole(image)
        axes: list[Axis] = [
            tuple(axis[nearest(i, len(axis), made, corners, centres)] for i in range(made))
            for axis, made in zip(lie, size, strict=False)
        ]
        return Take(((*axes, lie[2]),)), inputs

    def _resize_bilinear(self) -> Read:
        inputs, _, _, corners, centres = self._resized()
        if corners and centres:
            raise self.error("has both align_corners and half_pixel_centers, which TFLite does not run; use one")
        return ResizeBilinear(corners, centres), inputs


def nearest(index: int, size: int, made: int, corners: bool, centres: bool) -> int:
    """The input index that RESIZE_NEAREST_NEIGHBOR reads, `GetNearestNeighbor`: all of it in float32."""
    one = np.float32(1)
    scale = one * (size - 1) / np.float32(made - 1) if corners and made > 1 else one * size / np.float32(made)
    place = float((np.float32(index) + np.float32(0.5 if centres else 0.0)) * np.float32(scale))
    found = min(math.floor(place + 0.5) if corners else math.floor(place), size - 1)
    return max(found, 0)
