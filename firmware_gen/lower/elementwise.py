# SPDX-License-Identifier: Apache-2.0
"""Operators that work value by value."""

from __future__ import annotations

from typing import Any

from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.options import Extreme, PRelu
from dimmer.firmware_gen.graph.types import Activation, Add, DType, Mul, Softmax, Sub, Tensor
from dimmer.firmware_gen.kernels import portable as k
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.lower.context import MAX_RANK, Context
from dimmer.firmware_gen.lower.steps import Step, Weights, step

ADD_LEFT_SHIFT = 20
SQUARED_LEFT_SHIFT = 7


def sum_fields(multipliers: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]) -> dict[str, Any]:
    """Of sums and differences: (multiplier, shift) of both inputs and of the output."""
    (multiplier1, shift1), (multiplier2, shift2), (multiplier_output, shift_output) = multipliers
    return {
        "multiplier1": multiplier1,
        "multiplier2": multiplier2,
        "multiplier_output": multiplier_output,
        "shift1": shift1,
        "shift2": shift2,
        "shift_output": shift_output,
    }


class Elementwise(Context):
    """Sums, products, requantisations, tables and the softmax."""

    def broadcast(self, *given: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Output dimensions merged into the fewest and longest runs, and the dimensions that each input repeats.

        Args:
            given: the inputs' shapes where they are not the tensors'.
        """
        sides = given or tuple(tensor.shape for tensor in self.inputs)
        shapes = [(1,) * (len(self.output.shape) - len(shape)) + shape for shape in sides]
        runs: list[tuple[int, tuple[bool, ...]]] = []
        for size, *sizes in zip(self.output.shape, *shapes, strict=True):
            if size == 1:
                continue
            repeats = tuple(one == 1 for one in sizes)
            if runs and runs[-1][1] == repeats:
                size *= runs.pop()[0]
            runs.append((size, repeats))
        if len(runs) > MAX_RANK:
            raise self.error(
                f"broadcasts over {len(runs)} separate dimensions, at most {MAX_RANK} are supported; reshape"
            )
        runs = [(1, (False,) * len(sides))] * (MAX_RANK - len(runs)) + runs
        masks = (sum(1 << axis for axis, run in enumerate(runs) if run[1][side]) for side in range(len(sides)))
        return tuple(run[0] for run in runs), tuple(masks)

    def pair_fields(self) -> dict[str, Any]:
        """Where the two inputs lie, and how they are repeated."""
        dims, (broadcast1, broadcast2) = self.broadcast()
        return {
            "input1": self.operand(0),
            "input2": self.operand(1),
            "output": self.out,
            "dims": dims,
            "broadcast1": broadcast1,
            "broadcast2": broadcast2,
            "input1_blob": int(self.inputs[0].constant),
            "input2_blob": int(self.inputs[1].constant),
        }

    def elementwise_fields(self, activation: Activation = Activation.NONE) -> dict[str, Any]:
        """The fields that ADD, SUB, MUL and their kin have in common."""
        low, high = fp.activation_range(activation, self.output.q)
        return {
            **self.pair_fields(),
            "zero_point1": self.inputs[0].q.zero_point,
            "zero_point2": self.inputs[1].q.zero_point,
            "output_zero_point": self.output.q.zero_point,
            "activation_min": low,
            "activation_max": high,
        }

    def overwritable(self) -> tuple[int, ...]:
        """Buffers of the inputs that have the output's size."""
        return tuple(
            dict.fromkeys(
                self.at(place).id
                for place, tensor in enumerate(self.inputs)
                if not tensor.constant and tensor.elements == self.output.elements
            )
        )

    def sum(self, options: Add | Sub) -> Step:
        """ADD and SUB."""
        multipliers = fp.sum_multipliers(self.inputs[0].q, self.inputs[1].q, self.output.q, ADD_LEFT_SHIFT)
        return step(
            k.ADD if isinstance(options, Add) else k.SUB,
            self.layer,
            in_place=self.overwritable(),
            **sum_fields(multipliers),
            left_shift=ADD_LEFT_SHIFT,
            **self.elementwise_fields(options.activation),
        )

    def mul(self, options: Mul) -> Step:
        """MUL."""
        multiplier, shift = fp.mul_multiplier(self.inputs[0].q, self.inputs[1].q, self.output.q, micro=options.micro)
        return step(
            k.MUL,
            self.layer,
            in_place=self.overwritable(),
            multiplier=multiplier,
            shift=shift,
            **self.elementwise_fields(options.activation),
        )

    def squared_difference(self) -> Step:
        """SQUARED_DIFFERENCE."""
        multipliers = fp.squared_difference_multipliers(
            self.inputs[0].q, self.inputs[1].q, self.output.q, SQUARED_LEFT_SHIFT
        )
        return step(
            k.SQUARED_DIFFERENCE,
            self.layer,
            in_place=self.overwritable(),
            **sum_fields(multipliers),
            left_shift=SQUARED_LEFT_SHIFT,
            **self.elementwise_fields(),
        )

    def extreme(self, options: Extreme) -> Step:
        """MAXIMUM and MINIMUM."""
        kernel = k.MAXIMUM if options.largest else k.MINIMUM
        return step(kernel, self.layer, in_place=self.overwritable(), **self.pair_fields())

    def prelu(self, options: PRelu) -> Step:
        """PRELU: one multiplier for what is not negative, one for its product with the slope."""
        source, alpha = self.inputs
        multiplier, shift = fp.mul_multiplier(source.q, alpha.q, self.output.q, micro=options.micro)
        ratio = fp.ratio_multiplier if options.micro else fp.ratio_multiplier_float
        positive, positive_shift = ratio(source.q, self.output.q)
        return step(
            k.PRELU,
            self.layer,
            in_place=self.overwritable(),
            multiplier=multiplier,
            shift=shift,
            positive_multiplier=positive,
            positive_shift=positive_shift,
            **self.elementwise_fields(),
        )

    def requantize(self, multiplier: tuple[int, int], low: int, high: int) -> Step:
        """To another scale, by a fixed-point multiplier."""
        source = self.inputs[0]
        return step(
            k.REQUANTIZE,
            self.layer,
            in_place=self.overwritable(),
            input=self.at(0),
            output=self.out,
            elements=source.elements,
            multiplier=multiplier[0],
            shift=multiplier[1],
            input_zero_point=source.q.zero_point,
            output_zero_point=self.output.q.zero_point,
            activation_min=low,
            activation_max=high,
            input_unsigned=int(source.dtype is DType.UINT8),
            output_unsigned=int(self.output.dtype is DType.UINT8),
        )

    def quantize(self) -> Step:
        """QUANTIZE, from float or from other codes."""
        source = self.inputs[0]
        if source.dtype is not DType.FLOAT32:
            low, high = (-128, 127) if self.output.dtype is DType.INT8 else (0, 255)
            return self.requantize(fp.ratio_multiplier(source.q, self.output.q), low, high)
        return self.convert(k.QUANTIZE_F32, self.output)

    def dequantize(self) -> Step:
        """DEQUANTIZE."""
        return self.convert(k.DEQUANTIZE_F32, self.inputs[0])

    def convert(self, kernel: Kernel, quantised: Tensor) -> Step:
        """Between float and int8 codes."""
        return step(
            kernel,
            self.layer,
            input=self.at(0),
            output=self.out,
            elements=self.output.elements,
            scale=quantised.q.scale,
            zero_point=quantised.q.zero_point,
        )

    def logistic(self) -> Step:
        """LOGISTIC, as a table of 256 codes."""
        return self.lookup(fp.logistic_table(self.inputs[0].q, self.output.q))

    def lookup(self, table: bytes) -> Step:
        """A function of one code."""
        source = self.inputs[0]
        return step(
            k.LUT,
            self.layer,
            in_place=self.overwritable(),
            input=self.at(0),
            output=self.out,
            elements=source.elements,
            table=Weights(table, (256,)),
        )

    def softmax(self, options: Softmax) -> Step:
        """SOFTMAX over the last dimension."""
        source = self.inputs[0]
        depth = source.shape[-1] if source.shape else 1
        if depth > 4096:
            raise self.error(f"has {depth} classes, more than 4096; leave SOFTMAX out and take the largest logit")
        multiplier, left_shift, diff_min = fp.softmax_scaling(options.beta, source.q.scale)
        return step(
            k.SOFTMAX,
            self.layer,
            in_place=self.overwritable(),
            input=self.at(0),
            output=self.out,
            rows=source.elements // depth,
            depth=depth,
            multiplier=multiplier,
            left_shift=left_shift,
            diff_min=diff_min,
        )
