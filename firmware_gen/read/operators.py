# SPDX-License-Identifier: Apache-2.0
"""Raw operator records -> typed operators: options, constant parameters, and the shape that each output must have."""

from __future__ import annotations

from collections.abc import Callable

from dimmer.firmware_gen.graph.options import Extreme, Lookup, SquaredDifference
from dimmer.firmware_gen.graph.types import (
    Activation,
    Add,
    AveragePool2d,
    MaxPool2d,
    Mul,
    Operator,
    Options,
    Relu,
    Sub,
    Tensor,
)
from dimmer.firmware_gen.read.flatbuffer import CUSTOM, RawOperator
from dimmer.firmware_gen.read.logic import LogicReader
from dimmer.firmware_gen.read.moves import MoveReader
from dimmer.firmware_gen.read.recurrent import RecurrentReader
from dimmer.firmware_gen.read.shapes import ShapeReader
from dimmer.firmware_gen.read.unsigned import OTHERWISE, SIGNED_ALONE
from dimmer.firmware_gen.read.weighted import WeightedReader

ADVICE = {
    "ELU": "TFLite's reference kernels have none either; train with RELU6 or HARD_SWISH",
    "DENSIFY": "it unpacks what is no sparse constant; convert without Optimize.EXPERIMENTAL_SPARSITY",
    "WHILE": "a loop; unroll it before the conversion (unroll=True of Keras's recurrent layers)",
    "IF": "a branch; export the branch that you deploy",
    "SUM": "TFLite's reference kernel misreads codes below 0; use MEAN and fold the factor into the next weights",
    "SHAPE": "export with fixed shapes",
    "CUSTOM": "an operator of its maker's own; convert with built-in operators only",
    "LSTM": "convert with a recent version, which makes UNIDIRECTIONAL_SEQUENCE_LSTM of it",
}
"""Operators that are refused -> why, and what to do."""
_CUSTOM = {
    "edgetpu": "code that edgetpu_compiler made and only an Edge TPU runs; give the file that it was made from",
    "ethos-u": "a command stream that Vela made and only an Ethos-U runs; give the file that it was made from, with a "
    "core's target (mps3-an547): files from elsewhere are not taken to an NPU",
    "Flex": "an operator of TensorFlow itself; convert without SELECT_TF_OPS",
    "TFLite_Detection_PostProcess": "which sorts boxes in float; cut it off and sort them in your program",
}
"""What begins the name of a custom operator -> what it is and what to do."""
LOOKED_UP = ("HARD_SWISH", "TANH", "EXP", "LOG", "ABS", "NEG", "SQRT", "RSQRT", "RELU_0_TO_1")
"""Functions of one code that have no options."""


class OperatorReader(WeightedReader, LogicReader, ShapeReader, MoveReader, RecurrentReader):
    """Reads the operators of one file.

    Attributes:
        source: what error messages call the file.
        tensor: gives a checked tensor by its index in the file.
        variables: the tensors that keep state between inferences.
    """

    def __init__(self, source: str, tensor: Callable[[int], Tensor], variables: frozenset[int] = frozenset()) -> None:
        super().__init__(source, tensor, variables)
        self._readers: dict[str, Callable[[], tuple[Options, tuple[int, ...]]]] = {
            "CONV_2D": self._conv,
            "DEPTHWISE_CONV_2D": self._depthwise,
            "FULLY_CONNECTED": self._fully_connected,
            "ADD": lambda: self._elementwise(Add(self._activation())),
            "SUB": lambda: self._elementwise(Sub(self._activation())),
            "MUL": lambda: self._elementwise(Mul(self._activation())),
            "PAD": self._pad,
            "PADV2": self._pad,
            "MEAN": self._mean,
            "REDUCE_MAX": self._reduce_extreme,
            "REDUCE_MIN": self._reduce_extreme,
            "TRANSPOSE_CONV": self._transpose_conv,
            "BATCH_MATMUL": self._batch_matmul,
            "L2_NORMALIZATION": self._l2_normalization,
            "AVERAGE_POOL_2D": lambda: self._pool(AveragePool2d),
            "MAX_POOL_2D": lambda: self._pool(MaxPool2d),
            "RESHAPE": self._reshape,
            "SOFTMAX": self._softmax,
            "LOGISTIC": self._logistic,
            "RELU": lambda: self._unary(Relu(Activation.RELU)),
            "RELU6": lambda: self._unary(Relu(Activation.RELU6)),
            "RELU_N1_TO_1": lambda: self._unary(Relu(Activation.RELU_N1_TO_1)),
            "LEAKY_RELU": self._leaky_relu,
            "GELU": self._gelu,
            **{kind: self._lookup(kind) for kind in LOOKED_UP},
            "PRELU": self._prelu,
            "MAXIMUM": lambda: self._elementwise(Extreme(largest=True)),
            "MINIMUM": lambda: self._elementwise(Extreme(largest=False)),
            "SQUARED_DIFFERENCE": lambda: self._elementwise(SquaredDifference()),
            "QUANTIZE": self._quantize,
            "DEQUANTIZE": self._dequantize,
            "CONCATENATION": self._concatenation,
            "TRANSPOSE": self._transpose,
            "EXPAND_DIMS": self._same_bytes,
            "SQUEEZE": self._same_bytes,
            "STRIDED_SLICE": self._strided_slice,
            "SLICE": self._slice,
            "PACK": self._pack,
            "GATHER": self._gather,
            "REVERSE_V2": self._reverse,
            "TILE": self._tile,
            "BROADCAST_TO": self._broadcast_to,
            "MIRROR_PAD": self._mirror_pad,
            "SPACE_TO_DEPTH": self._depth_space,
            "DEPTH_TO_SPACE": self._depth_space,
            "SPACE_TO_BATCH_ND": self._batch_space,
            "BATCH_TO_SPACE_ND": self._batch_space,
            "RESIZE_NEAREST_NEIGHBOR": self._resize_nearest,
            "RESIZE_BILINEAR": self._resize_bilinear,
            "UNIDIRECTIONAL_SEQUENCE_LSTM": self._lstm,
            "SVDF": self._svdf,
            **self._logic_readers,
        }
        self._splitters = dict.fromkeys(("SPLIT", "SPLIT_V", "UNPACK"), self._split)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The operators that it reads."""
        return (*self._readers, *self._splitters)

    def _lookup(self, kind: str) -> Callable[[], tuple[Options, tuple[int, ...]]]:
        return lambda: self._unary(Lookup(kind))

    def read(self, index: int, record: RawOperator) -> tuple[Operator, ...]:
        """Reads one operator; what has several outputs becomes an operator for each.

        Raises:
            FirmwareGenError: the runtime cannot run it, or the file contradicts itself.
        """
        self._index, self._record = index, record
        if record.kind in self._splitters and record.outputs:
            found = self._splitters[record.kind]()
            return tuple(
                Operator(index, record.kind, options, inputs, output)
                for (options, inputs), output in zip(found, record.outputs, strict=True)
            )
        if record.kind == "CUSTOM":
            name = str(record.options.get(CUSTOM, ""))
            advice = next((text for start, text in _CUSTOM.items() if name.startswith(start)), ADVICE["CUSTOM"])
            raise self.error(f"is {name or 'without a name'}, {advice}")
        if record.kind not in self._readers:
            advice = ADVICE.get(
                record.kind,
                "build that part of the network of convolutions, pools, ADD, MUL, RELU6 and FULLY_CONNECTED",
            )
            raise self.error(f"is not supported; {advice}")
        if self._unsigned and record.kind in (*OTHERWISE, *SIGNED_ALONE):
            raise self.error("works on uint8, of which it is not supported; quantise the network to int8")
        if len(record.outputs) != 1:
            raise self.error(f"has {len(record.outputs)} outputs, expected 1; convert the model again")
        options, inputs = self._readers[record.kind]()
        return (Operator(index, record.kind, options, inputs, record.outputs[0]),)
