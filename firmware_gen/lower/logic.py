# SPDX-License-Identifier: Apache-2.0
"""Decisions: comparisons, choices, the place of an extreme, changes of type; and divisions by a constant."""

from __future__ import annotations

import math

from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.division import division_table, floor_division_table
from dimmer.firmware_gen.graph.options import ArgExtreme, Compare, Divide, Gather, Select
from dimmer.firmware_gen.graph.types import DType, Tensor
from dimmer.firmware_gen.kernels.logic import ARG_EXTREME, CAST, CAST_F32, COMPARE, GATHER, SELECT
from dimmer.firmware_gen.lower.elementwise import Elementwise
from dimmer.firmware_gen.lower.steps import Step, step


class Logic(Elementwise):
    """Decisions, and divisions by a constant."""

    def compare(self, options: Compare) -> Step:
        """EQUAL and its kin: TFLite rescales by the scales themselves, which are below 1."""
        (multiplier1, shift1), (multiplier2, shift2) = (_own_scale(tensor) for tensor in self.inputs)
        return step(
            COMPARE,
            self.layer,
            in_place=self.overwritable(),
            multiplier1=multiplier1,
            multiplier2=multiplier2,
            shift1=shift1,
            shift2=shift2,
            zero_point1=_zero_point(self.inputs[0]),
            zero_point2=_zero_point(self.inputs[1]),
            less=int(options.less),
            equal=int(options.equal),
            greater=int(options.greater),
            **self.pair_fields(),
        )

    def invert(self) -> Step:
        """LOGICAL_NOT."""
        return self.lookup(bytes(int(code == 0) for code in range(-128, 128)))

    def select(self, options: Select) -> Step:
        """SELECT and SELECT_V2."""
        condition, first, second = (tensor.shape for tensor in self.inputs)
        if options.rows:
            condition += (1,) * (len(self.output.shape) - 1)
        dims, masks = self.broadcast(condition, first, second)
        return step(
            SELECT,
            self.layer,
            condition=self.at(0),
            input1=self.operand(1),
            input2=self.operand(2),
            output=self.out,
            dims=dims,
            broadcast=masks[0],
            broadcast1=masks[1],
            broadcast2=masks[2],
            input1_blob=int(self.inputs[1].constant),
            input2_blob=int(self.inputs[2].constant),
        )

    def arg_extreme(self, options: ArgExtreme) -> Step:
        """ARG_MAX and ARG_MIN."""
        shape = self.inputs[0].shape
        return step(
            ARG_EXTREME,
            self.layer,
            input=self.at(0),
            output=self.out,
            outer=math.prod(shape[: options.axis]),
            depth=shape[options.axis],
            inner=math.prod(shape[options.axis + 1 :]),
            largest=int(options.largest),
            wide=int(self.output.dtype is DType.INT64),
        )

    def gather(self, options: Gather) -> Step:
        """GATHER by computed indexes."""
        shape, indexes = self.inputs[0].shape, self.inputs[1]
        return step(
            GATHER,
            self.layer,
            input=self.operand(0),
            indexes=self.at(1),
            output=self.out,
            outer=math.prod(shape[: options.axis]),
            depth=shape[options.axis],
            run=math.prod(shape[options.axis + 1 :]) * self.inputs[0].dtype.size,
            count=indexes.elements,
            input_blob=int(self.inputs[0].constant),
        )

    def cast(self) -> Step:
        """CAST."""
        source, made, count = self.inputs[0].dtype.code, self.output.dtype, self.output.elements
        read = self.at(0)
        if made is DType.FLOAT32:
            return step(CAST_F32, self.layer, input=read, output=self.out, elements=count, source_type=source)
        return step(
            CAST, self.layer, input=read, output=self.out, elements=count, source_type=source, output_type=made.code
        )

    def divide(self, options: Divide) -> Step:
        """DIV and FLOOR_DIV by one constant: a table."""
        source, divisor = self.inputs
        code = int.from_bytes((divisor.data or b"")[:1], "little", signed=True)
        if options.floor:
            return self.lookup(floor_division_table(code))
        return self.lookup(division_table(source.q, divisor.q, self.output.q, code))


def _own_scale(tensor: Tensor) -> tuple[int, int]:
    return (1 << 30, 0) if tensor.dtype is DType.BOOL else fp.quantize_multiplier_below_one(tensor.q.scale)


def _zero_point(tensor: Tensor) -> int:
    return 0 if tensor.dtype is DType.BOOL else tensor.q.zero_point
