# SPDX-License-Identifier: Apache-2.0
"""Records of operators that work value by value."""

from __future__ import annotations

import math

from dimmer.firmware_gen.graph.options import Lookup, PRelu
from dimmer.firmware_gen.graph.types import Dequantize, DType, Logistic, Options, Quantize, Softmax
from dimmer.firmware_gen.read.record import RecordReader


class ElementwiseReader(RecordReader):
    """Sums, products, activations and conversions."""

    def _elementwise(self, options: Options) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(2, 2)
        self._activations(self._record.outputs[0])
        for index in inputs:
            self._int8(index)
            if self.tensor(index).q.per_channel:
                raise self.error(
                    f"works on {self.tensor(index).name}, which is quantised per channel; quantise "
                    "activations per tensor"
                )
        if all(self.tensor(index).constant for index in inputs):
            raise self.error("has two constant inputs; fold constants before the conversion")
        self._broadcast(*(self.tensor(index).shape for index in inputs))
        if self._record.kind in ("ADD", "SUB") and self._record.options.get("PotScaleInt16"):
            operands = [self.tensor(index) for index in (*inputs, self._record.outputs[0])]
            if all(tensor.dtype is DType.INT16 and math.frexp(tensor.q.scale)[0] == 0.5 for tensor in operands):
                raise self.error("adds int16 by shifts, as old converters wrote it; convert with a recent version")
        return options, inputs

    def _broadcast(self, *shapes: tuple[int, ...]) -> None:
        """Checks that the inputs fit one another and the output."""
        rank = max(len(shape) for shape in shapes)
        padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
        if any(len({*sizes} - {1}) > 1 for sizes in zip(*padded, strict=True)):
            raise self.error(
                f"has inputs {' and '.join(str(list(shape)) for shape in shapes)}, which do not broadcast; convert the "
                "model again"
            )
        self._shape(tuple(max(sizes) for sizes in zip(*padded, strict=True)))

    def _prelu(self) -> tuple[Options, tuple[int, ...]]:
        options, inputs = self._elementwise(PRelu())
        alpha = self.tensor(inputs[1])
        if not alpha.constant or self.tensor(inputs[0]).constant:
            raise self.error(f"has the slopes {alpha.name}, which are computed; only constant slopes are supported")
        return options, inputs

    def _leaky_relu(self) -> tuple[Options, tuple[int, ...]]:
        alpha = self._number("Alpha")
        if isinstance(alpha, tuple | str) or not abs(alpha) < 1e6:
            raise self.error(f"has alpha = {alpha}, expected a number; convert the model again")
        return self._unary(Lookup("LEAKY_RELU", float(alpha)))

    def _gelu(self) -> tuple[Options, tuple[int, ...]]:
        return self._unary(Lookup("GELU_APPROXIMATED" if self._number("Approximate") else "GELU"))

    def _softmax(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 1)
        self._activations(inputs[0], self._record.outputs[0])
        self._shape(self.tensor(inputs[0]).shape)
        self._fixed_output(tolerance=0.0009)
        beta = self._number("Beta")
        if isinstance(beta, tuple | str) or not (math.isfinite(beta) and 0 < beta < 1e6):
            raise self.error(f"has beta = {beta}, expected a positive number; convert the model again")
        return Softmax(float(beta)), inputs

    def _logistic(self) -> tuple[Options, tuple[int, ...]]:
        self._fixed_output_of_unary()
        return self._unary(Logistic())

    def _fixed_output_of_unary(self) -> None:
        self._activations(self._record.outputs[0])
        self._fixed_output()

    def _unary(self, options: Options) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 1)
        self._activations(inputs[0], self._record.outputs[0])
        self._shape(self.tensor(inputs[0]).shape)
        return options, inputs

    def _conversion(
        self, options: Options, allowed: tuple[tuple[DType, DType], ...], advice: str
    ) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 1)
        source, output = self.tensor(inputs[0]), self._output
        self._shape(source.shape)
        if (source.dtype, output.dtype) not in allowed or source.constant:
            raise self.error(f"turns {source.dtype.value} {source.name} into {output.dtype.value}; {advice}")
        for tensor in (source, output):
            if tensor.dtype is not DType.FLOAT32 and (tensor.quantisation is None or tensor.q.per_channel):
                raise self.error(
                    f"works on {tensor.name}, which has no scale and zero point of its own; quantise "
                    "the network to int8"
                )
        return options, inputs

    def _quantize(self) -> tuple[Options, tuple[int, ...]]:
        allowed = tuple(
            (a, b)
            for a in (DType.FLOAT32, DType.UINT8, DType.INT8)
            for b in (DType.INT8, DType.UINT8)
            if (a, b) != (DType.UINT8, DType.UINT8)
        )
        allowed += tuple((other, DType.INT16) for other in (DType.FLOAT32, DType.INT8, DType.INT16))
        allowed += ((DType.INT16, DType.INT8),)
        return self._conversion(Quantize(), allowed, "quantise float32, uint8, int8 or int16 activations to int8")

    def _dequantize(self) -> tuple[Options, tuple[int, ...]]:
        allowed = tuple((dtype, DType.FLOAT32) for dtype in (DType.INT8, DType.UINT8, DType.INT16))
        return self._conversion(Dequantize(), allowed, "only int8, uint8 and int16 activations can be dequantised")
