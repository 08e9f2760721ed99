# SPDX-License-Identifier: Apache-2.0
"""Which codes a tensor can hold, proven from the graph: kernels for narrow inputs are exact for these alone."""

from __future__ import annotations

from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.options import Take
from dimmer.firmware_gen.graph.types import (
    Add,
    Conv2d,
    DepthwiseConv2d,
    DType,
    FullyConnected,
    Graph,
    MaxPool2d,
    Quantize,
    Reshape,
)

WHOLE = (-128, 127)


def code_range(graph: Graph, tensor: int) -> tuple[int, int]:
    """The smallest and the largest code that an int8 tensor holds, whatever the network's input, and whichever mode ran
    before a boundary (`Tensor.codes`).

    Every operator that can narrow the range ends in a clamp (its activation) or is monotone (QUANTIZE), and is looked
    at from its inputs on; any other may give every code.
    """
    if (known := graph.tensors[tensor].codes) is not None:
        return known
    producer = next((operator for operator in graph.operators if operator.output == tensor), None)
    if producer is None or graph.tensors[tensor].dtype is not DType.INT8:
        return WHOLE
    options, output = producer.options, graph.tensors[tensor]
    match options:
        case Conv2d() | DepthwiseConv2d() | FullyConnected() | Add():
            return fp.activation_range(options.activation, output.q)
        case MaxPool2d() | Reshape():
            return code_range(graph, producer.inputs[0])
        case Take():
            low, high = code_range(graph, producer.inputs[0])
            return min(low, options.fill), max(high, options.fill)
        case Quantize():
            source = graph.tensors[producer.inputs[0]]
            if source.dtype is not DType.INT8:
                return WHOLE
            multiplier, shift = fp.ratio_multiplier(source.q, output.q)
            ends = [
                fp.requantize(code - source.q.zero_point, multiplier, shift) + output.q.zero_point
                for code in code_range(graph, producer.inputs[0])
            ]
            return max(ends[0], -128), min(ends[1], 127)
    return WHOLE
