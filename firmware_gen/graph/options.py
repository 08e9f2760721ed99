# SPDX-License-Identifier: Apache-2.0
"""Options of operators that have no weights and no fused activation."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.firmware_gen.graph.views import Layout

Axis = range | tuple[int | None, ...]
"""For each index along a dimension, what it adds to the place in the input, in elements; None where nothing is read."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A function of one int8 code, by its name in `graph/unary.py`.

    Attributes:
        parameter: alpha of LEAKY_RELU.
    """

    function: str
    parameter: float = 0.0


@dataclass(frozen=True, slots=True)
class Table:
    """Any function of one int8 code.

    Attributes:
        codes: int8[256], what each of -128..127 becomes.
    """

    codes: bytes


@dataclass(frozen=True, slots=True)
class PRelu:
    """PRELU: inputs are activation and constant alpha, which is broadcast.

    Attributes:
        micro: its factors are computed in double, as TFLite-Micro does, and not in float32.
    """

    micro: bool = False


@dataclass(frozen=True, slots=True)
class Extreme:
    """MAXIMUM and MINIMUM with broadcasting, of the codes."""

    largest: bool


@dataclass(frozen=True, slots=True)
class SquaredDifference:
    """SQUARED_DIFFERENCE with broadcasting."""


@dataclass(frozen=True, slots=True)
class ReduceExtreme:
    """REDUCE_MAX and REDUCE_MIN over `axes` (sorted, non-negative), of the codes."""

    axes: tuple[int, ...]
    largest: bool


@dataclass(frozen=True, slots=True)
class L2Normalization:
    """L2_NORMALIZATION over the last dimension."""


@dataclass(frozen=True, slots=True)
class BatchMatMul:
    """BATCH_MATMUL of two activations, of which either may be transposed.

    Attributes:
        layout: where operands and result lie once moves are folded in (`products.py`); None as the file has them.
    """

    transposed1: bool
    transposed2: bool
    layout: Layout | None = None


@dataclass(frozen=True, slots=True)
class Unjoin:
    """One of several inputs, taken out of the buffer that holds all of them, from byte `offset` on."""

    offset: int


@dataclass(frozen=True, slots=True)
class Join:
    """Several outputs, each put into one buffer from its byte on."""

    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Assign:
    """A state is what it will be in the next inference: the value's bytes, put where the output, a state, lies."""


@dataclass(frozen=True, slots=True)
class Take:
    """Whatever only moves values (slices, splits, STRIDED_SLICE, GATHER, RESIZE_NEAREST_NEIGHBOR, MIRROR_PAD, ...).

    The output is made of `parts`, of one size and one after the other; each is dense and has a dimension for each of
    its axes. An element is the input at the sum of its axes' entries, or `fill` where one of these is None.
    """

    parts: tuple[tuple[Axis, ...], ...]
    fill: int = 0


@dataclass(frozen=True, slots=True)
class ResizeBilinear:
    """RESIZE_BILINEAR of an image."""

    align_corners: bool
    half_pixel_centers: bool


@dataclass(frozen=True, slots=True)
class Lstm:
    """UNIDIRECTIONAL_SEQUENCE_LSTM of int8 activations with 16-bit cells.

    Inputs: the activation; weights int8[cells,inputs] of input, forget, cell and output gate; recurrent weights
    int8[cells,cells] of these; their biases int32[cells]; and the states, int8[cells] of the output, int16[cells] of
    the cells.

    Attributes:
        cell_clip: no absolute value of a cell's state is larger; 0 where nothing is cut.
        hidden_scale: of the output, as the file's own tensor for that says.
        hidden_zero_point: the same.
    """

    cell_clip: float
    hidden_scale: float
    hidden_zero_point: int


@dataclass(frozen=True, slots=True)
class Svdf:
    """SVDF: inputs are activation, weights int8[filters,inputs] and int16[filters,memory], the state
    int16[1,filters * memory], and optionally bias int32[filters / rank].
    """

    rank: int


@dataclass(frozen=True, slots=True)
class Compare:
    """EQUAL and its kin with broadcasting: what a pair gives by which of the two is larger.

    Attributes:
        less: whether it holds where the first is less; the others alike.
    """

    less: bool
    equal: bool
    greater: bool


@dataclass(frozen=True, slots=True)
class Not:
    """LOGICAL_NOT."""


@dataclass(frozen=True, slots=True)
class Select:
    """SELECT and SELECT_V2, of the codes: condition, what is taken where it holds, and what else, broadcast.

    Attributes:
        rows: the condition has one value for each entry of the first dimension.
    """

    rows: bool


@dataclass(frozen=True, slots=True)
class ArgExtreme:
    """ARG_MAX and ARG_MIN over `axis` (non-negative): the index of the first of equals."""

    axis: int
    largest: bool


@dataclass(frozen=True, slots=True)
class Gather:
    """GATHER along `axis` (non-negative) by indexes that are computed, or an input of the model."""

    axis: int


@dataclass(frozen=True, slots=True)
class Cast:
    """CAST: numbers of another type, codes as they are; what does not fit loses its upper bits."""


@dataclass(frozen=True, slots=True)
class Divide:
    """DIV and FLOOR_DIV by one constant; FLOOR_DIV divides the codes themselves."""

    floor: bool


Plain = (
    Take
    | Lookup
    | Table
    | Assign
    | Unjoin
    | Join
    | ReduceExtreme
    | L2Normalization
    | BatchMatMul
    | PRelu
    | Extreme
    | SquaredDifference
    | ResizeBilinear
    | Lstm
    | Svdf
    | Compare
    | Not
    | Select
    | ArgExtreme
    | Gather
    | Cast
    | Divide
)

STATE_PLACES = {Lstm: (13, 14), Svdf: (3,)}
"""Which inputs of an operator are states, that it reads and writes."""
