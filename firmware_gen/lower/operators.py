# SPDX-License-Identifier: Apache-2.0
"""Operators -> steps: the fixed-point parameters, folded biases and shapes that a kernel's record holds."""

from __future__ import annotations

from collections.abc import Callable

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.options import (
    ArgExtreme,
    Assign,
    BatchMatMul,
    Cast,
    Compare,
    Divide,
    Extreme,
    Gather,
    Join,
    L2Normalization,
    Lookup,
    Lstm,
    Not,
    PRelu,
    ReduceExtreme,
    ResizeBilinear,
    Select,
    SquaredDifference,
    Svdf,
    Table,
    Take,
    Unjoin,
)
from dimmer.firmware_gen.graph.types import (
    Add,
    AveragePool2d,
    Concatenation,
    Conv2d,
    DepthwiseConv2d,
    Dequantize,
    FullyConnected,
    Graph,
    Logistic,
    MaxPool2d,
    Mean,
    Mul,
    Operator,
    Pad,
    Quantize,
    Relu,
    Softmax,
    Sub,
    Transpose,
    TransposeConv,
)
from dimmer.firmware_gen.graph.unary import unary_table
from dimmer.firmware_gen.lower.logic import Logic
from dimmer.firmware_gen.lower.recurrent import Recurrent
from dimmer.firmware_gen.lower.steps import Buffer, Step, copy
from dimmer.firmware_gen.lower.wide import Wide


def lower(graph: Graph, operator: Operator, buffer: Callable[[int], int]) -> tuple[Step, ...]:
    """The steps of one operator.

    Args:
        buffer: the buffer id of a tensor.

    Raises:
        FirmwareGenError: an argument is outside the kernel's range.
    """
    try:
        return _Lowering(graph, operator, buffer).steps()
    except fp.RangeError as error:
        raise FirmwareGenError(
            f"{graph.where(operator)}: {error}; quantise again with calibration data that reaches this layer"
        ) from error


class _Lowering(Wide, Logic, Recurrent):
    def steps(self) -> tuple[Step, ...]:
        wide = self.wide()
        if wide is not None:
            return wide
        match self.operator.options:
            case Conv2d():
                return (self.conv(self.operator.options),)
            case DepthwiseConv2d():
                return (self.depthwise(self.operator.options),)
            case FullyConnected():
                return (self.fully_connected(self.operator.options),)
            case Add() | Sub():
                return (self.sum(self.operator.options),)
            case Mul():
                return (self.mul(self.operator.options),)
            case Pad():
                return (self.pad(self.operator.options),)
            case Mean():
                return (self.mean(self.operator.options),)
            case ReduceExtreme():
                return (self.reduce_extreme(self.operator.options),)
            case L2Normalization():
                return (self.l2_normalization(),)
            case TransposeConv():
                return (self.transpose_conv(self.operator.options),)
            case BatchMatMul():
                return (self.batch_matmul(self.operator.options),)
            case AveragePool2d() | MaxPool2d():
                return (self.pool(self.operator.options),)
            case Softmax():
                return (self.softmax(self.operator.options),)
            case Logistic():
                return (self.logistic(),)
            case Lookup():
                table = unary_table(self.operator.options, self.inputs[0].q, self.output.q)
                return (self.lookup(table),)
            case Table():
                return (self.lookup(self.operator.options.codes),)
            case PRelu():
                return (self.prelu(self.operator.options),)
            case Extreme():
                return (self.extreme(self.operator.options),)
            case Compare():
                return (self.compare(self.operator.options),)
            case Not():
                return (self.invert(),)
            case Select():
                return (self.select(self.operator.options),)
            case ArgExtreme():
                return (self.arg_extreme(self.operator.options),)
            case Gather():
                return (self.gather(self.operator.options),)
            case Cast():
                return (self.cast(),)
            case Divide():
                return (self.divide(self.operator.options),)
            case SquaredDifference():
                return (self.squared_difference(),)
            case Relu():
                low, high = fp.activation_range(self.operator.options.activation, self.output.q)
                return (self.requantize(fp.ratio_multiplier_float(self.inputs[0].q, self.output.q), low, high),)
            case Quantize():
                return (self.quantize(),)
            case Dequantize():
                return (self.dequantize(),)
            case Concatenation():
                return self.concatenation(self.operator.options)
            case Transpose():
                return (self.transpose(self.operator.options),)
            case Unjoin():
                source = Buffer(self.at(0).id, self.operator.options.offset)
                return (copy(source, self.out, self.output.size, self.layer),)
            case Join():
                return tuple(
                    copy(self.at(place), Buffer(self.out.id, offset), tensor.size, tensor.name)
                    for place, (tensor, offset) in enumerate(
                        zip(self.inputs, self.operator.options.offsets, strict=True)
                    )
                )
            case Assign():
                return (copy(self.at(0), self.out, self.output.size, self.layer),)
            case Take():
                return self.take(self.operator.options)
            case ResizeBilinear():
                return (self.resize_bilinear(self.operator.options),)
            case Lstm():
                return (self.lstm(self.operator.options),)
            case Svdf():
                return (self.svdf(self.operator.options),)
        raise self.error("has no kernel; report this file")
