# SPDX-License-Identifier: Apache-2.0
"""`.tflite` bytes -> plain Python records, bounded by the file's size.

Python's flatbuffers are memory-safe but take any number for a length, so every vector is measured against the file
before it is walked. Nothing here knows what an operator means; that is `read_tflite`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.read.sparse import COMPRESSED, Level, Sparsity

MAX_FILE_BYTES = 64 << 20
MAX_TENSORS = 1 << 15
MAX_OPERATORS = 1 << 11
MAX_SUBGRAPHS = 4

CUSTOM = "CustomCode"
"""An option of CUSTOM alone: what its maker calls it."""
Value = int | float | bool | tuple[int, ...] | str


@dataclass(frozen=True, slots=True)
class RawTensor:
    """A tensor as the file has it.

    Attributes:
        data: None where the file holds no values.
        sparse: how they lie where zeros are left out.
    """

    name: str
    shape: tuple[int, ...]
    type: int
    data: bytes | None
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    variable: bool
    sparse: Sparsity | None = None


@dataclass(frozen=True, slots=True)
class RawOperator:
    """An operator as the file has it; `options` is empty where the file holds none.

    Attributes:
        intermediates: scale and zero point of each tensor that only tells how something within is quantised; None
            where it does not.
    """

    kind: str
    options: dict[str, Value]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[tuple[float, int] | None, ...] = ()


@dataclass(frozen=True, slots=True)
class RawModel:
    """The first subgraph of a file.

    Attributes:
        subgraphs: how many the file has; a firmware runs one.
        others: the rest of them.
        signatures: names of the ways in which the file can be called.
    """

    tensors: tuple[RawTensor, ...]
    operators: tuple[RawOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    subgraphs: int = 1
    others: tuple[RawModel, ...] = ()
    signatures: tuple[str, ...] = ()


_KINDS = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
_CONV = ("Padding", "StrideW", "StrideH", "DilationWFactor", "DilationHFactor", "FusedActivationFunction")
_POOL = ("Padding", "StrideW", "StrideH", "FilterWidth", "FilterHeight", "FusedActivationFunction")
_RESIZE = ("AlignCorners", "HalfPixelCenters")
_TEXTS = ("SharedName",)
_VECTORS = ("NewShape", "SqueezeDims")
_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": ("Conv2DOptions", _CONV),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", (*_CONV, "DepthMultiplier")),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("FusedActivationFunction", "WeightsFormat", "KeepNumDims")),
    "ADD": ("AddOptions", ("FusedActivationFunction", "PotScaleInt16")),
    "SUB": ("SubOptions", ("FusedActivationFunction", "PotScaleInt16")),
    "MUL": ("MulOptions", ("FusedActivationFunction",)),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOL),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL),
    "RESHAPE": ("ReshapeOptions", ("NewShape",)),
    "SOFTMAX": ("SoftmaxOptions", ("Beta",)),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask", "Offset"),
    ),
    "PACK": ("PackOptions", ("Axis",)),
    "UNPACK": ("UnpackOptions", ("Axis",)),
    "GATHER": ("GatherOptions", ("Axis", "BatchDims")),
    "SQUEEZE": ("SqueezeOptions", ("SqueezeDims",)),
    "RESIZE_BILINEAR": ("ResizeBilinearOptions", _RESIZE),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", _RESIZE),
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", ("BlockSize",)),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", ("BlockSize",)),
    "LEAKY_RELU": ("LeakyReluOptions", ("Alpha",)),
    "GELU": ("GeluOptions", ("Approximate",)),
    "REDUCE_MAX": ("ReducerOptions", ("KeepDims",)),
    "REDUCE_MIN": ("ReducerOptions", ("KeepDims",)),
    "BATCH_MATMUL": ("BatchMatMulOptions", ("AdjX", "AdjY")),
    "L2_NORMALIZATION": ("L2NormOptions", ("FusedActivationFunction",)),
    "TRANSPOSE_CONV": ("TransposeConvOptions", ("Padding", "StrideW", "StrideH", "FusedActivationFunction")),
    "DIV": ("DivOptions", ("FusedActivationFunction",)),
    "CALL_ONCE": ("CallOnceOptions", ("InitSubgraphIndex",)),
    "VAR_HANDLE": ("VarHandleOptions", _TEXTS),
    "MIRROR_PAD": ("MirrorPadOptions", ("Mode",)),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        "UnidirectionalSequenceLSTMOptions",
        ("FusedActivationFunction", "CellClip", "ProjClip", "TimeMajor", "DiagonalRecurrentTensors"),
    ),
    "SVDF": ("SVDFOptions", ("Rank", "FusedActivationFunction")),
}
_VECTOR_KINDS: dict[int, tuple[Any, int]] = {
    schema.SparseIndexVector.Int32Vector: (schema.Int32Vector, 4),
    schema.SparseIndexVector.Uint16Vector: (schema.Uint16Vector, 2),
    schema.SparseIndexVector.Uint8Vector: (schema.Uint8Vector, 1),
}
"""What indices of sparse constants are kept in, and bytes of each."""


def kind_name(code: int) -> str:
    """The name of a builtin operator code."""
    return str(_KINDS.get(code, f"operator code {code}"))


def options_of(operator: RawOperator) -> tuple[int, Any]:
    """An operator's options as a file holds them: the code of their type, and they; 0 and None where it has none."""
    if operator.kind not in _OPTIONS:
        return 0, None
    name, fields = _OPTIONS[operator.kind]
    made = getattr(schema, f"{name}T")()
    for field in fields:
        if field in operator.options:
            setattr(made, f"{field[0].lower()}{field[1:]}", operator.options[field])
    return int(getattr(schema.BuiltinOptions, name)), made


def usable_axis(axis: int, rank: int, scales: int) -> int:
    """The dimension that scales lie on: old converters named any where one scale or dimension leaves no choice."""
    return 0 if not 0 <= axis < rank and (scales <= 1 or rank == 1) else axis


class _DamagedError(ValueError):
    """What contradicts itself in a file, in words."""


_TIMES, _MORE = 16, 1 << 20
"""How many bytes all lists of a file may have together: of its own bytes, and besides."""


class _Reader:
    def __init__(self, data: bytes, source: str) -> None:
        self.data = data
        self.source = source
        self.left = _TIMES * len(data) + _MORE
        self.buffers: dict[int, bytes | None] = {}

    def count(self, length: int, element_bytes: int, what: str) -> int:
        if length * element_bytes > len(self.data):
            raise _DamagedError(f"{what} claims {length} entries, more than the file could hold")
        self.left -= length * element_bytes
        if self.left < 0:
            # Many tensors may say that theirs is one and the same long list.
            raise _DamagedError(f"with {what} its lists claim more than {_TIMES} times the file's own bytes")
        return length

    def ints(self, length: int, as_numpy: Callable[[], Any], element_bytes: int, what: str) -> tuple[int, ...]:
        if self.count(length, element_bytes, what) == 0:
            return ()
        return tuple(int(value) for value in as_numpy().tolist())

    def name(self, raw: bytes | None, index: int) -> str:
        if not raw or len(raw) > 4096:
            return f"tensor_{index}"
        return raw.decode("utf-8", errors="replace")

    def tensor(self, subgraph: Any, index: int, buffer_data: Callable[[int, str], bytes | None]) -> RawTensor:
        table = subgraph.Tensors(index)
        name = self.name(table.Name(), index)
        shape = self.ints(table.ShapeLength(), table.ShapeAsNumpy, 4, f"the shape of {name}")
        scales: tuple[float, ...] = ()
        zero_points: tuple[int, ...] = ()
        axis = 0
        quantisation = table.Quantization()
        if quantisation is not None and quantisation.ScaleLength():
            if quantisation.DetailsType() != 0:
                raise _DamagedError(
                    f"{name} has a quantisation of its own kind, only plain scales and zero points can be read"
                )
            self.count(quantisation.ScaleLength(), 4, f"the scales of {name}")
            scales = tuple(float(value) for value in quantisation.ScaleAsNumpy().tolist())
            zero_points = self.ints(
                quantisation.ZeroPointLength(), quantisation.ZeroPointAsNumpy, 8, f"the zero points of {name}"
            )
            axis = usable_axis(quantisation.QuantizedDimension(), len(shape), len(scales))
        sparse = self.sparsity(table.Sparsity(), name)
        data = buffer_data(table.Buffer(), name)
        return RawTensor(
            name,
            shape,
            table.Type(),
            # Of a tensor of zeros no value is kept: a buffer that is there and empty has all of them.
            data if sparse is not None else data or None,
            scales,
            zero_points,
            axis,
            table.IsVariable(),
            sparse,
        )

    def sparsity(self, table: Any, name: str) -> Sparsity | None:
        if table is None:
            return None
        what = f"the sparsity of {name}"
        order = self.ints(table.TraversalOrderLength(), table.TraversalOrderAsNumpy, 4, what)
        blocks = self.ints(table.BlockMapLength(), table.BlockMapAsNumpy, 4, what)
        levels = []
        for index in range(self.count(table.DimMetadataLength(), 4, what)):
            level = table.DimMetadata(index)
            if level.Format() != COMPRESSED:
                levels.append(Level(level.DenseSize()))
                continue
            segments = self.vector(level.ArraySegmentsType(), level.ArraySegments(), what)
            levels.append(Level(0, segments, self.vector(level.ArrayIndicesType(), level.ArrayIndices(), what)))
        return Sparsity(order, blocks, tuple(levels))

    def vector(self, kind: int, union: Any, what: str) -> tuple[int, ...]:
        if kind not in _VECTOR_KINDS or union is None:
            raise _DamagedError(f"{what} has a list of no known type")
        table_type, element_bytes = _VECTOR_KINDS[kind]
        values = table_type()
        values.Init(union.Bytes, union.Pos)
        return self.ints(values.ValuesLength(), values.ValuesAsNumpy, element_bytes, what)

    def options(self, kind: str, table: Any) -> dict[str, Value]:
        if kind not in _OPTIONS:
            return {}
        class_name, fields = _OPTIONS[kind]
        union = table.BuiltinOptions()
        if union is None or table.BuiltinOptionsType() != getattr(schema.BuiltinOptions, class_name):
            return {}
        options = getattr(schema, class_name)()
        options.Init(union.Bytes, union.Pos)
        values: dict[str, Value] = {}
        for field in fields:
            if field in _VECTORS:
                length, as_numpy = getattr(options, f"{field}Length"), getattr(options, f"{field}AsNumpy")
                values[field] = self.ints(length(), as_numpy, 4, f"{field} of {kind}")
            elif field in _TEXTS:
                values[field] = self.name(getattr(options, field)(), 0)
            else:
                values[field] = getattr(options, field)()
        return values

    def model(self) -> RawModel:
        model = schema.Model.GetRootAs(self.data, 0)
        if model.Version() != 3:
            raise FirmwareGenError(
                f"{self.source}: schema version {model.Version()}, which no interpreter reads; convert the model again "
                "with any TensorFlow since 1.7"
            )
        subgraph_count = self.count(model.SubgraphsLength(), 4, "the list of subgraphs")
        if subgraph_count == 0:
            raise _DamagedError("it has no subgraph")
        buffer_count = self.count(model.BuffersLength(), 4, "the list of buffers")
        code_count = self.count(model.OperatorCodesLength(), 4, "the list of operator codes")

        def buffer_data(index: int, name: str) -> bytes | None:
            if index == 0:
                return None
            if index not in self.buffers:
                # Several tensors may have one.
                self.buffers[index] = read_buffer(index, name)
            return self.buffers[index]

        def read_buffer(index: int, name: str) -> bytes | None:
            if index >= buffer_count:
                raise _DamagedError(f"{name} lies in buffer {index} of {buffer_count}")
            buffer = model.Buffers(index)
            if buffer.Offset() > 1:
                # Larger models keep their constants behind the flatbuffer.
                end = buffer.Offset() + buffer.Size()
                if end > len(self.data):
                    raise _DamagedError(f"{name} ends at byte {end} of {len(self.data)}")
                return bytes(self.data[buffer.Offset() : end]) or None
            length = self.count(buffer.DataLength(), 1, f"the buffer of {name}")
            if not length:
                return None if buffer.DataIsNone() else b""
            return bytes(buffer.DataAsNumpy().tobytes())

        kinds = []
        for index in range(code_count):
            code = model.OperatorCodes(index)
            kind = kind_name(max(code.DeprecatedBuiltinCode(), code.BuiltinCode()))
            kinds.append((kind, self.name(code.CustomCode(), index) if kind == "CUSTOM" else ""))
        others = range(1, min(subgraph_count, MAX_SUBGRAPHS))
        return replace(
            self.subgraph(model.Subgraphs(0), kinds, buffer_data),
            subgraphs=subgraph_count,
            signatures=tuple(
                self.name(model.SignatureDefs(index).SignatureKey(), index)
                for index in range(self.count(model.SignatureDefsLength(), 4, "the list of signatures"))
            ),
            others=tuple(self.subgraph(model.Subgraphs(index), kinds, buffer_data) for index in others),
        )

    def subgraph(
        self, subgraph: Any, kinds: list[tuple[str, str]], buffer_data: Callable[[int, str], bytes | None]
    ) -> RawModel:
        tensor_count = self.count(subgraph.TensorsLength(), 4, "the list of tensors")
        operator_count = self.count(subgraph.OperatorsLength(), 4, "the list of operators")
        if tensor_count > MAX_TENSORS or operator_count > MAX_OPERATORS:
            raise _DamagedError(
                f"{tensor_count} tensors and {operator_count} operators, more than the "
                f"{MAX_TENSORS} and {MAX_OPERATORS} that a firmware can hold"
            )
        tensors = tuple(self.tensor(subgraph, index, buffer_data) for index in range(tensor_count))
        operators = []
        for index in range(operator_count):
            table = subgraph.Operators(index)
            if table.OpcodeIndex() >= len(kinds):
                raise _DamagedError(f"operator {index} has operator code {table.OpcodeIndex()} of {len(kinds)}")
            kind, custom = kinds[table.OpcodeIndex()]
            options: dict[str, Value] = {CUSTOM: custom} if custom else self.options(kind, table)
            operators.append(
                RawOperator(
                    kind,
                    options,
                    self.ints(table.InputsLength(), table.InputsAsNumpy, 4, f"the inputs of operator {index}"),
                    self.ints(table.OutputsLength(), table.OutputsAsNumpy, 4, f"the outputs of operator {index}"),
                    tuple(
                        (tensors[place].scales[0], tensors[place].zero_points[0])
                        if 0 <= place < tensor_count and tensors[place].scales and tensors[place].zero_points
                        else None
                        for place in self.ints(
                            table.IntermediatesLength(),
                            table.IntermediatesAsNumpy,
                            4,
                            f"the intermediates of operator {index}",
                        )
                    ),
                )
            )
        return RawModel(
            tensors,
            tuple(operators),
            self.ints(subgraph.InputsLength(), subgraph.InputsAsNumpy, 4, "the list of inputs"),
            self.ints(subgraph.OutputsLength(), subgraph.OutputsAsNumpy, 4, "the list of outputs"),
        )


def read_flatbuffer(data: bytes, source: str) -> RawModel:
    """Unpacks the first subgraph of a `.tflite` file.

    Raises:
        FirmwareGenError: the bytes are not a whole, well-formed `.tflite` file.
    """
    if len(data) > MAX_FILE_BYTES:
        raise FirmwareGenError(
            f"{source}: {len(data)} bytes, more than the {MAX_FILE_BYTES} that are read; no "
            "microcontroller holds such a model"
        )
    if len(data) < 16 or data[4:8] != b"TFL3":
        raise FirmwareGenError(
            f"{source}: not a .tflite file (the identifier TFL3 is missing); give the file that the converter wrote"
        )
    try:
        return _Reader(data, source).model()
    except _DamagedError as error:
        raise FirmwareGenError(
            f"{source}: damaged or not a plain .tflite file: {error}; convert the model again"
        ) from error
    except (struct.error, TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
        raise FirmwareGenError(
            f"{source}: damaged or cut short: an offset in it points outside the file; convert the model again"
        ) from error
