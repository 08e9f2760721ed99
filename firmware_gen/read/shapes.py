# SPDX-License-Identifier: Apache-2.0
"""Records of operators that gather or move values."""

from __future__ import annotations

from dimmer.firmware_gen.graph.options import ReduceExtreme
from dimmer.firmware_gen.graph.types import (
    Activation,
    AveragePool2d,
    Concatenation,
    DType,
    MaxPool2d,
    Mean,
    Options,
    Pad,
    Reshape,
    Transpose,
)
from dimmer.firmware_gen.read.record import RecordReader


class ShapeReader(RecordReader):
    """Pools, means and what moves data."""

    def _pad(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(2, 2) if self._record.kind == "PAD" else self._inputs(3, 3)
        self._activations(inputs[0], self._record.outputs[0])
        self._same_quantisation(inputs[0])
        source = self.tensor(inputs[0])
        amounts = self._parameter(inputs[1], "paddings")
        if len(amounts) != 2 * len(source.shape) or any(not 0 <= amount <= 0xFFFF for amount in amounts):
            raise self.error(
                f"has the paddings {list(amounts)[:16]} for an input {list(source.shape)}; convert the model again"
            )
        value = self._output.q.zero_point
        if len(inputs) == 3:
            fill = self.tensor(inputs[2])
            if fill.data is None or fill.dtype is not DType.INT8 or fill.elements != 1 or fill.quantisation is None:
                raise self.error(f"pads with {fill.name}, which is not one constant int8 value; use PAD")
            self._same_quantisation(inputs[2])
            value = int.from_bytes(fill.data, "little", signed=True)
        before, after = amounts[0::2], amounts[1::2]
        self._shape(tuple(a + size + b for a, size, b in zip(before, source.shape, after, strict=True)))
        return Pad(before, after, value), inputs[:1]

    def _mean(self) -> tuple[Options, tuple[int, ...]]:
        axes, inputs = self._reduced()
        return Mean(axes), inputs

    def _reduce_extreme(self) -> tuple[Options, tuple[int, ...]]:
        axes, inputs = self._reduced()
        self._same_quantisation(*inputs)
        return ReduceExtreme(axes, self._record.kind == "REDUCE_MAX"), inputs

    def _reduced(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The axes, and the input."""
        inputs = self._inputs(2, 2)
        self._activations(inputs[0], self._record.outputs[0])
        shape = self.tensor(inputs[0]).shape
        given = self._parameter(inputs[1], "axes")
        if any(not -len(shape) <= axis < len(shape) for axis in given):
            raise self.error(f"has the axes {list(given)[:8]} for an input {list(shape)}; convert the model again")
        axes = tuple(sorted({axis % len(shape) for axis in given}))
        keep = bool(self._record.options.get("KeepDims", False))
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape) if keep or axis not in axes)
        self._shape(kept)
        return axes, inputs[:1]

    def _pool(self, options: type[AveragePool2d] | type[MaxPool2d]) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 1)
        # TFLite takes the codes as they are, whatever the scales.
        self._activations(inputs[0], self._record.outputs[0])
        height, width, channels = self._image(inputs[0])
        kernel = (self._int("FilterHeight", 1, 0xFFFF), self._int("FilterWidth", 1, 0xFFFF))
        window, out_h, out_w = self._window((height, width), kernel, dilated=False)
        self._shape((1, out_h, out_w, channels))
        if options is AveragePool2d:
            return AveragePool2d(window, self._activation(), self._unsigned), inputs
        return options(window, self._activation()), inputs

    def _reshape(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 2)
        if not self._plain(inputs[0], self._record.outputs[0]):
            self._activations(inputs[0], self._record.outputs[0])
        source, output = self.tensor(inputs[0]), self._output
        if source.elements != output.elements:
            raise self.error(
                f"makes {list(output.shape)} of {list(source.shape)}, which has another number of "
                "elements; convert the model again"
            )
        if len(inputs) == 2:
            wanted = self._parameter(inputs[1], "shape")
        else:
            value = self._record.options.get("NewShape", ())
            wanted = value if isinstance(value, tuple) else ()
        if wanted and (
            len(wanted) != len(output.shape)
            or sum(a != b for a, b in zip(wanted, output.shape, strict=True)) > wanted.count(-1)
        ):
            raise self.error(
                f"makes {list(wanted)[:8]} by its parameter, {list(output.shape)} by its output; "
                "convert the model again"
            )
        return Reshape(), inputs[:1]

    def _concatenation(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 64)
        self._activations(self._record.outputs[0])
        self._int8(*inputs)
        self._same_quantisation(*inputs)
        if self._activation() is not Activation.NONE:
            raise self.error("has a fused activation, which TFLite does not run; use an operator of its own")
        shapes = [self.tensor(index).shape for index in inputs]
        rank = len(shapes[0])
        axis = self._int("Axis", -rank, rank - 1) % rank if rank else 0
        if not rank or any(
            len(shape) != rank or shape[:axis] + shape[axis + 1 :] != shapes[0][:axis] + shapes[0][axis + 1 :]
            for shape in shapes
        ):
            raise self.error(
                f"joins {', '.join(str(list(shape)) for shape in shapes[:8])} along dimension "
                f"{axis}, which do not fit; convert the model again"
            )
        self._shape((*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :]))
        return Concatenation(axis), inputs

    def _transpose(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(2, 2)
        self._activations(inputs[0], self._record.outputs[0])
        self._same_quantisation(inputs[0])
        shape = self.tensor(inputs[0]).shape
        permutation = self._parameter(inputs[1], "permutation")
        if sorted(permutation) != list(range(len(shape))):
            raise self.error(
                f"has the permutation {list(permutation)[:8]} for an input {list(shape)}; convert the model again"
            )
        self._shape(tuple(shape[axis] for axis in permutation))
        return Transpose(permutation), inputs[:1]
