# SPDX-License-Identifier: Apache-2.0
"""The graph that every later step works on: frozen, typed, and already checked by whoever built it.

Shapes are NHWC with batch 1, weights OHWI (depthwise: 1HWC) as in TFLite. An operator has exactly one output; the
constant tensors that are only parameters in TFLite (the paddings of PAD, the axes of MEAN, ...) are part of its options
here, so `Operator.inputs` holds activations, and for convolutions and FULLY_CONNECTED weights and bias.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from dimmer.firmware_gen.graph import options as plain


class DType(Enum):
    """Element types that a graph may hold."""

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    BOOL = "bool"
    FLOAT32 = "float32"

    @property
    def size(self) -> int:
        """Bytes of one element."""
        return {DType.INT8: 1, DType.UINT8: 1, DType.BOOL: 1, DType.INT16: 2, DType.INT64: 8}.get(self, 4)

    @property
    def code(self) -> int:
        """As dimmer_tables.h numbers it."""
        return _CODES.index(self)


_CODES = (DType.INT8, DType.UINT8, DType.FLOAT32, DType.INT16, DType.INT32, DType.INT64, DType.BOOL)


class Activation(Enum):
    """Fused activation functions; each is only a clamp of the quantised output."""

    NONE = "NONE"
    RELU = "RELU"
    RELU_N1_TO_1 = "RELU_N1_TO_1"
    RELU6 = "RELU6"


@dataclass(frozen=True, slots=True)
class Quantisation:
    """Affine quantisation, `real = scale * (code - zero_point)`.

    Attributes:
        scales: one float32 value per tensor, or one per channel.
        zero_points: as many as scales.
        axis: dimension that the channels lie on.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0

    @property
    def scale(self) -> float:
        """The scale of a per-tensor quantisation."""
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The zero point of a per-tensor quantisation."""
        return self.zero_points[0]

    @property
    def per_channel(self) -> bool:
        """Whether there is more than one scale."""
        return len(self.scales) > 1


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the graph.

    Attributes:
        data: the constant's bytes, little-endian, or None where the tensor is computed. INT4 has a byte a code.
        weight_bits: 4 where the file holds INT4; after `slices.resolve_slices` 8, or of a slice of `data` 4 or 2.
        codes: smallest and largest that it holds where it may be another mode's; None where its own operators tell.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    quantisation: Quantisation | None
    data: bytes | None
    weight_bits: int = 8
    codes: tuple[int, int] | None = None

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.elements * self.dtype.size

    @property
    def constant(self) -> bool:
        """Whether the values are in the file."""
        return self.data is not None

    @property
    def q(self) -> Quantisation:
        """The quantisation of a tensor that was checked to have one."""
        if self.quantisation is None:
            raise ValueError(f"{self.name} is not quantised")
        return self.quantisation


@dataclass(frozen=True, slots=True)
class Padding:
    """Elements of padding on each side of height and width."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides over height and width."""

    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    padding: Padding


@dataclass(frozen=True, slots=True)
class Conv2d:
    """CONV_2D: inputs are activation, weights int8[O,H,W,I] and optionally bias int32[O].

    Attributes:
        unsigned: the file's activations are uint8, of which TFLite multiplies the scales in float32, and not in double.
    """

    window: Window
    activation: Activation
    unsigned: bool = False


@dataclass(frozen=True, slots=True)
class DepthwiseConv2d:
    """DEPTHWISE_CONV_2D: inputs are activation, weights int8[1,H,W,C*multiplier] and optionally bias; as Conv2d."""

    window: Window
    multiplier: int
    activation: Activation
    unsigned: bool = False


@dataclass(frozen=True, slots=True)
class FullyConnected:
    """FULLY_CONNECTED: inputs are activation, weights int8[O,I] and optionally bias; micro: TFLite-Micro's bits."""

    activation: Activation
    micro: bool = False


@dataclass(frozen=True, slots=True)
class Add:
    """ADD with broadcasting."""

    activation: Activation


@dataclass(frozen=True, slots=True)
class Sub:
    """SUB with broadcasting."""

    activation: Activation


@dataclass(frozen=True, slots=True)
class Mul:
    """MUL with broadcasting; micro: with its factor in double, as TFLite-Micro does, and not in float32."""

    activation: Activation
    micro: bool = False


@dataclass(frozen=True, slots=True)
class Pad:
    """PAD: elements before and after each dimension, all set to `value` (a code, normally the zero point)."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    value: int


@dataclass(frozen=True, slots=True)
class Mean:
    """MEAN over `axes` (sorted, non-negative)."""

    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AveragePool2d:
    """AVERAGE_POOL_2D; padding does not count as elements.

    Attributes:
        unsigned: the file's activations are uint8, of which halves are rounded up, and not away from zero.
    """

    window: Window
    activation: Activation
    unsigned: bool = False


@dataclass(frozen=True, slots=True)
class MaxPool2d:
    """MAX_POOL_2D."""

    window: Window
    activation: Activation


@dataclass(frozen=True, slots=True)
class Reshape:
    """RESHAPE and its kin (SQUEEZE, EXPAND_DIMS): the same bytes under another shape."""


@dataclass(frozen=True, slots=True)
class Softmax:
    """SOFTMAX over the last dimension."""

    beta: float


@dataclass(frozen=True, slots=True)
class Logistic:
    """LOGISTIC."""


@dataclass(frozen=True, slots=True)
class Relu:
    """A RELU that is an operator of its own."""

    activation: Activation


@dataclass(frozen=True, slots=True)
class Quantize:
    """QUANTIZE: float32, uint8 or int8 to int8 or uint8."""


@dataclass(frozen=True, slots=True)
class Dequantize:
    """DEQUANTIZE: int8 or uint8 to float32."""


@dataclass(frozen=True, slots=True)
class Concatenation:
    """CONCATENATION along `axis` (non-negative); PACK, whose inputs lack that dimension."""

    axis: int


@dataclass(frozen=True, slots=True)
class Transpose:
    """TRANSPOSE: output dimension i is input dimension permutation[i]."""

    permutation: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TransposeConv:
    """TRANSPOSE_CONV: inputs are activation, weights int8[O,H,W,I] and optionally bias int32[O].

    Attributes:
        window: of the convolution that it turns back, from the output to the input; the rest as of Conv2d.
    """

    window: Window
    activation: Activation
    unsigned: bool = False


Options = (
    Conv2d
    | DepthwiseConv2d
    | FullyConnected
    | Add
    | Sub
    | Mul
    | Pad
    | Mean
    | AveragePool2d
    | MaxPool2d
    | Reshape
    | Softmax
    | Logistic
    | Relu
    | Quantize
    | Dequantize
    | Concatenation
    | Transpose
    | TransposeConv
    | plain.Plain
)


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    Attributes:
        index: its place in the file, for error messages.
        kind: its TFLite name.
        inputs: tensor indexes.
        output: tensor index.
    """

    index: int
    kind: str
    options: Options
    inputs: tuple[int, ...]
    output: int


@dataclass(frozen=True, slots=True)
class Part:
    """One of several inputs or outputs.

    Attributes:
        offset: bytes into the buffer that holds all of them.
    """

    tensor: Tensor
    offset: int


@dataclass(frozen=True, slots=True)
class State:
    """A tensor that lasts from one inference to the next.

    Attributes:
        tensor: its index.
        initial: its bytes after a reset.
    """

    tensor: int
    initial: bytes


def joined(tensors: Sequence[Tensor]) -> tuple[Part, ...]:
    """Tensors in one buffer, in their order: first those of wide elements, so that all are aligned without a gap."""
    offsets = [0] * len(tensors)
    end = 0
    for place in sorted(range(len(tensors)), key=lambda at: -tensors[at].dtype.size):
        offsets[place] = end
        end += tensors[place].size
    return tuple(Part(tensor, offset) for tensor, offset in zip(tensors, offsets, strict=True))


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole network.

    Attributes:
        source: file that it was read from, for error messages.
        operators: in an order in which they can be run.
        input: tensor index of the one input; where the file has several, of the buffer that holds them.
        output: the same of outputs.
        inputs: where the file has several, what they are, in its order.
        outputs: the same of outputs.
        states: tensors that last from one inference to the next.
    """

    source: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    input: int
    output: int
    inputs: tuple[Part, ...] = ()
    outputs: tuple[Part, ...] = ()
    states: tuple[State, ...] = ()

    def where(self, operator: Operator) -> str:
        """File, operator and output tensor, for an error message."""
        return f"{self.source}: operator {operator.index} {operator.kind} ({self.tensors[operator.output].name})"
