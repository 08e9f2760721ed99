# SPDX-License-Identifier: Apache-2.0
"""Where TFLite-Micro's reference kernels give other bits than LiteRT's, and a graph that asks for these.

Found by comparing both interpreters on random files of every operator (tests/firmware_gen/graph/test_micro.py repeats
it). What is not here gave the same results in all of them.

- FULLY_CONNECTED: LiteRT rescales in double, TFLite-Micro by multiplier and shift as both do in convolutions.
- MUL and PRELU: the factor is a quotient in double, and not in float32.
- TANH of int8: the output is taken to have the scale 1/128 and the zero point 0, whatever the file says.
- RELU6 of int8: the input's codes are clamped and not rescaled.
- SPACE_TO_BATCH_ND: padding is code 0, and not the zero point.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.options import Lookup, Lstm, PRelu, Table, Take
from dimmer.firmware_gen.graph.types import Activation, DType, FullyConnected, Graph, Mul, Operator, Options, Relu


class Reference(Enum):
    """Whose results a model gives, bit for bit."""

    LITERT = "litert"
    TFLM = "tflm"

    @property
    def title(self) -> str:
        """For people."""
        return {Reference.LITERT: "the TFLite interpreter", Reference.TFLM: "TFLite-Micro"}[self]


def as_micro(graph: Graph) -> Graph:
    """The graph with TFLite-Micro's arithmetic.

    Raises:
        FirmwareGenError: an operator of it is not offered.
    """
    return replace(graph, operators=tuple(replace(o, options=_options(graph, o)) for o in graph.operators))


def _options(graph: Graph, operator: Operator) -> Options:
    output = graph.tensors[operator.output]
    match operator.options:
        case FullyConnected() | Mul() | PRelu():
            return replace(operator.options, micro=True)
        case Lookup("TANH") if output.dtype is DType.INT8:
            return Lookup("TANH_MICRO")
        case Relu() if output.dtype is DType.INT16:
            raise _refused(graph, operator, "has no kernel for it on int16")
        case Relu(Activation.RELU6):
            return Lookup("RELU6_MICRO")
        case Take() if operator.kind == "SPACE_TO_BATCH_ND":
            return replace(operator.options, fill=0)
        case Table():
            raise _refused(graph, operator, "may compute the float operators before it otherwise")
        case Lstm():
            raise _refused(graph, operator, "computes it in other steps, which are not offered")
    return operator.options


def _refused(graph: Graph, operator: Operator, why: str) -> FirmwareGenError:
    return FirmwareGenError(
        f"{graph.where(operator)}: TFLite-Micro {why}; leave --reference tflm out for the TFLite interpreter's results"
    )
