# SPDX-License-Identifier: Apache-2.0
"""`.tflite` file -> Graph, with every check that the rest of the generator relies on.

What TFLite derives while it prepares a graph (output shapes, SAME padding) is derived here again and must agree with
the file, so a file that lies is an error and not a wrong firmware.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.options import STATE_PLACES, Table
from dimmer.firmware_gen.graph.types import (
    DType,
    Graph,
    Operator,
    Quantisation,
    Quantize,
    Tensor,
)
from dimmer.firmware_gen.read import shape_arithmetic
from dimmer.firmware_gen.read.assembly import INT4_ADVICE, Assembly
from dimmer.firmware_gen.read.ends import check_batch, check_boundary, existing
from dimmer.firmware_gen.read.flatbuffer import MAX_FILE_BYTES, RawModel, RawOperator, RawTensor, read_flatbuffer
from dimmer.firmware_gen.read.floats import check_quantised
from dimmer.firmware_gen.read.islands import islands_of, table_of
from dimmer.firmware_gen.read.operators import OperatorReader
from dimmer.firmware_gen.read.sparse import SparsityError, expanded
from dimmer.firmware_gen.read.state import KINDS, Variables
from dimmer.firmware_gen.read.unsigned import recoded

MAX_TENSOR_BYTES = 16 << 20
MAX_DIMENSION = MAX_TENSOR_BYTES
MAX_RANK = 6

_DTYPES = {
    schema.TensorType.INT8: DType.INT8,
    schema.TensorType.UINT8: DType.UINT8,
    schema.TensorType.INT16: DType.INT16,
    schema.TensorType.INT32: DType.INT32,
    schema.TensorType.INT64: DType.INT64,
    schema.TensorType.BOOL: DType.BOOL,
    schema.TensorType.FLOAT32: DType.FLOAT32,
}
_TYPE_NAMES = {code: name for name, code in vars(schema.TensorType).items() if not name.startswith("_")}
FOLDED = (*shape_arithmetic.KINDS, "DENSIFY")
_NEVER_SPARSE = (schema.TensorType.INT4, schema.TensorType.INT64, schema.TensorType.UINT8)
_TYPE_ADVICE = {
    "INT4": INT4_ADVICE,
    "INT2": "int2 weights are not read yet; quantise the weights to int8 on the grid -1..1, "
    "which gives the same results",
    "FLOAT16": "quantise the network to int8",
}


def read_tflite(path: Path, *, name: str | None = None) -> Graph:
    """Reads and checks one model file.

    Args:
        name: what error messages call the file; its own name where None.

    Raises:
        FirmwareGenError: the file cannot be read, is damaged, or holds something that the runtime cannot run.
    """
    return parse_tflite(read_bytes(path), name or path.name)


def read_bytes(path: Path) -> bytes:
    """A file's content.

    Raises:
        FirmwareGenError: it cannot be read.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            # A pipe would never end, nor would some devices.
            raise FirmwareGenError(f"{path}: is no file; name a .tflite file")
        if found.st_size > MAX_FILE_BYTES:
            most = MAX_FILE_BYTES >> 20
            raise FirmwareGenError(f"{path}: has {found.st_size:,} bytes, more than {most} MiB; name a smaller model")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise FirmwareGenError(f"{path}: cannot be read ({reason}); check the path") from error


def parse_tflite(data: bytes, source: str) -> Graph:
    """Like `read_tflite`, from bytes; `source` is what error messages call the file."""
    graph = _parse(read_flatbuffer(data, source), source, _Refusals(None))
    assert graph is not None
    return graph


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no firmware can be made of a file.

    Attributes:
        operator: its place in the file; None where it is the file as a whole.
        message: as `read_tflite` would raise it.
    """

    operator: int | None
    message: str


def survey_tflite(data: bytes, source: str) -> tuple[RawModel, Graph | None, tuple[Refusal, ...]]:
    """What a file holds, and all that `parse_tflite` refuses in it; the graph where that is nothing.

    Raises:
        FirmwareGenError: the file is damaged.
    """
    raw = read_flatbuffer(data, source)
    found: list[Refusal] = []
    graph = _parse(raw, source, _Refusals(found))
    once = {refusal.message: refusal for refusal in reversed(found)}
    return raw, None if found else graph, tuple(refusal for refusal in found if once[refusal.message] is refusal)


class _Refusals:
    """Lets errors through, or collects them."""

    def __init__(self, found: list[Refusal] | None) -> None:
        self.found = found

    @contextmanager
    def at(self, operator: int | None = None) -> Iterator[None]:
        try:
            yield
        except FirmwareGenError as error:
            if self.found is None:
                raise
            self.found.append(Refusal(operator, str(error)))


def _parse(raw: RawModel, source: str, refusals: _Refusals) -> Graph | None:
    """None where something was refused."""
    with refusals.at():
        check_quantised(raw, source)
    if refusals.found:
        return None
    changed = recoded(raw)
    raw = changed.raw
    islands = islands_of(raw)
    tensors = _Tensors(raw, source)
    ends: dict[str, tuple[int, ...]] = {"input": (), "output": ()}
    variables = Variables(raw, source, tensors.get, len(raw.tensors) + 2)
    with refusals.at():
        variables.check_subgraphs()
    for what, indexes in (("input", raw.inputs), ("output", raw.outputs)):
        with refusals.at():
            ends[what] = existing(indexes, len(raw.tensors), what, source)
    reader = OperatorReader(source, tensors.get, tensors.variables)
    defined = set(raw.inputs)
    for place in ends["input"]:
        with refusals.at():
            if tensors.get(place).constant:
                raise FirmwareGenError(
                    f"{source}: the input {tensors.get(place).name} is a constant; convert the model again"
                )
            check_batch(tensors.get(place), source)
    operators: list[Operator] = []
    for end, inner in changed.ends:
        if end in raw.inputs:
            operators.append(Operator(0, "QUANTIZE", Quantize(), (end,), inner))
            defined.add(inner)
    for index, record in enumerate(raw.operators):
        with refusals.at(index):
            if record.kind in FOLDED and not defined & {*record.outputs} and tensors.fold(record):
                continue
            if (island := islands.ends.get(index)) is not None:
                where = f"{source}: operator {index} QUANTIZE ({raw.tensors[island.output].name})"
                table = Table(table_of(raw, island, tensors.get, where))
                made = [Operator(index, "QUANTIZE", table, (island.source,), island.output)]
            elif index in islands.within:
                made = []
            else:
                made = [*(variables.read(index, record) if record.kind in KINDS else reader.read(index, record))]
            for name, variable in variables.found.items():
                tensors.checked[variable.index] = replace(variable.tensor, name=name)
                defined.add(variable.index)
            for operator in made:
                variables.keep(operator)
                operators.append(_operator(operator, tensors, defined))
        # What a refused operator would write is not refused again where it is read.
        defined.update(record.outputs)
    for end, inner in changed.ends:
        if end in raw.outputs and end not in raw.inputs and inner in defined:
            operators.append(Operator(len(raw.operators), "QUANTIZE", Quantize(), (inner,), end))
            defined.add(end)
    for place in ends["output"]:
        with refusals.at():
            if place not in defined:
                raise FirmwareGenError(
                    f"{source}: no operator writes the output {tensors.get(place).name}; convert the model again"
                )
    for what, places in ends.items():
        for place in places:
            with refusals.at():
                check_boundary(tensors.get(place), what, source)
    if refusals.found:
        return None
    with refusals.at():
        assembly = Assembly(tensors)
        graph = assembly.graph(
            tuple(operators), ends["input"], ends["output"], assembly.assigned(variables, len(raw.operators))
        )
        return replace(graph, states=assembly.states(variables))
    return None


def _operator(operator: Operator, tensors: _Tensors, defined: set[int]) -> Operator:
    """An operator whose inputs have values and whose output has none yet."""
    states = STATE_PLACES.get(type(operator.options), ())
    for place, operand in enumerate(operator.inputs):
        tensor = tensors.get(operand)
        if operand in tensors.variables:
            if place not in states:
                raise FirmwareGenError(
                    f"{tensors.source}: operator {operator.index} {operator.kind} reads {tensor.name}, which keeps "
                    "state between inferences; only LSTM and SVDF may, use variables (tf.Variable) for your own"
                )
        elif not tensor.constant and operand not in defined:
            raise FirmwareGenError(
                f"{tensors.source}: operator {operator.index} {operator.kind} reads {tensor.name} before any operator "
                "has written it; convert the model again"
            )
    if operator.output in defined | tensors.variables or tensors.get(operator.output).constant:
        raise FirmwareGenError(
            f"{tensors.source}: operator {operator.index} {operator.kind} writes "
            f"{tensors.get(operator.output).name}, which already has a value; convert the "
            "model again"
        )
    return operator


class _Tensors:
    """Tensors are checked when an operator first uses them: what nothing uses may be of any kind."""

    def __init__(self, raw: RawModel, source: str) -> None:
        self.raw = raw.tensors
        self.source = source
        self.checked: dict[int, Tensor] = {}
        self.variables = frozenset(index for index, tensor in enumerate(raw.tensors) if tensor.variable)

    def get(self, index: int) -> Tensor:
        if index not in self.checked:  # buffers of several inputs or outputs always are
            if not 0 <= index < len(self.raw):
                raise FirmwareGenError(
                    f"{self.source}: an operator names tensor {index} of {len(self.raw)}; convert the model again"
                )
            self.checked[index] = self._check(self.raw[index])
        return self.checked[index]

    def fold(self, record: RawOperator) -> bool:
        """Makes the output of a computation of shapes, or of DENSIFY, a constant; whether it could."""
        tensor = shape_arithmetic.folded(record, self.get) if record.kind != "DENSIFY" else self._dense(record)
        if tensor is not None:
            self.checked[record.outputs[0]] = tensor
        return tensor is not None

    def _dense(self, record: RawOperator) -> Tensor | None:
        places = (*record.inputs, *record.outputs)
        if len(places) != 2 or not 0 <= places[1] < len(self.raw) or not self.get(places[0]).constant:
            return None
        source, output = self.get(places[0]), self.raw[places[1]]
        same = output.data is None and (output.shape, _DTYPES.get(output.type)) == (source.shape, source.dtype)
        return self._check(replace(output, data=source.data)) if same else None

    def _check(self, raw: RawTensor) -> Tensor:
        where = f"{self.source}: tensor {raw.name}"
        if raw.sparse is not None and raw.type in _NEVER_SPARSE:
            raise FirmwareGenError(
                f"{where} is {_TYPE_NAMES[raw.type]} and stored sparse; convert without Optimize.EXPERIMENTAL_SPARSITY"
            )
        if raw.type == schema.TensorType.INT4 and raw.data is not None:
            return self._unpacked(raw, where)
        if raw.type == schema.TensorType.INT64 and raw.data is not None and not raw.scales:
            return self._narrowed(raw, where)
        if raw.type not in _DTYPES:
            type_name = _TYPE_NAMES.get(raw.type, f"of type {raw.type}")
            raise FirmwareGenError(
                f"{where} is {type_name}: {_TYPE_ADVICE.get(type_name, 'quantise the network to int8')}"
            )
        dtype = _DTYPES[raw.type]
        self._check_shape(raw, dtype, where)
        if raw.sparse is not None and raw.data is not None:
            try:
                raw = replace(raw, data=expanded(raw.sparse, raw.shape, raw.data, dtype.size), sparse=None)
            except SparsityError as error:
                raise FirmwareGenError(
                    f"{where} is stored sparse, and {error}; convert without Optimize.EXPERIMENTAL_SPARSITY"
                ) from error
        tensor = Tensor(raw.name, raw.shape, dtype, self._quantisation(raw, dtype, where), raw.data)
        if raw.data is not None and len(raw.data) != tensor.size:
            raise FirmwareGenError(
                f"{where} needs {tensor.size} bytes for {dtype.value}{list(raw.shape)}, its buffer "
                f"has {len(raw.data)}; convert the model again"
            )
        return tensor

    def _check_shape(self, raw: RawTensor, dtype: DType, where: str) -> None:
        if len(raw.shape) > MAX_RANK or any(not 0 < size <= MAX_DIMENSION for size in raw.shape):
            raise FirmwareGenError(
                f"{where} has shape {list(raw.shape)[:8]}; at most {MAX_RANK} dimensions of 1 to "
                f"{MAX_DIMENSION}, none of them open, convert with a fixed shape"
            )
        if math.prod(raw.shape) * dtype.size > MAX_TENSOR_BYTES:
            raise FirmwareGenError(
                f"{where} has {math.prod(raw.shape) * dtype.size} bytes, more than the "
                f"{MAX_TENSOR_BYTES} that any target has; use a smaller network"
            )

    def _quantisation(self, raw: RawTensor, dtype: DType, where: str) -> Quantisation | None:
        if not raw.scales or dtype in (DType.FLOAT32, DType.BOOL):
            return None
        if len(raw.zero_points) != len(raw.scales):
            raise FirmwareGenError(
                f"{where} has {len(raw.scales)} scales and {len(raw.zero_points)} zero points; convert the model again"
            )
        if any(not (math.isfinite(scale) and scale > 0) for scale in raw.scales):
            raise FirmwareGenError(
                f"{where} has a scale that is not a positive number; quantise again with "
                "calibration data that reaches every layer"
            )
        if len(raw.scales) > 1 and not (0 <= raw.axis < len(raw.shape) and raw.shape[raw.axis] == len(raw.scales)):
            raise FirmwareGenError(
                f"{where} has {len(raw.scales)} scales, which dimension {raw.axis} of "
                f"{list(raw.shape)} does not; convert the model again"
            )
        low, high = {DType.INT8: (-128, 127), DType.UINT8: (0, 255)}.get(dtype, (0, 0))
        if any(not low <= zero_point <= high for zero_point in raw.zero_points):
            raise FirmwareGenError(f"{where} has a zero point outside {low}..{high}; convert the model again")
        if raw.data is None and len(raw.scales) != 1:
            raise FirmwareGenError(
                f"{where} is an activation with {len(raw.scales)} scales; quantise activations per tensor"
            )
        return Quantisation(raw.scales, raw.zero_points, raw.axis)

    def _unpacked(self, raw: RawTensor, where: str) -> Tensor:
        """An int4 constant with a byte for each code; in the file two share a byte, the first in the low half."""
        self._check_shape(raw, DType.INT8, where)
        elements, data = math.prod(raw.shape), raw.data or b""
        if len(data) != (elements + 1) // 2:
            raise FirmwareGenError(
                f"{where} needs {(elements + 1) // 2} bytes for int4{list(raw.shape)}, its buffer has {len(data)}; "
                "convert the model again"
            )
        codes = bytes(((nibble ^ 8) - 8) & 0xFF for byte in data for nibble in (byte & 15, byte >> 4))
        quantisation = self._quantisation(raw, DType.INT8, where)
        return Tensor(raw.name, raw.shape, DType.INT8, quantisation, codes[:elements], weight_bits=4)

    def _narrowed(self, raw: RawTensor, where: str) -> Tensor:
        """An int64 parameter (axes, paddings, shapes) as int32."""
        self._check_shape(raw, DType.INT32, where)
        data = raw.data or b""
        values = [int.from_bytes(data[at : at + 8], "little", signed=True) for at in range(0, len(data), 8)]
        if len(data) != 8 * math.prod(raw.shape) or any(not -(2**31) <= value < 2**31 for value in values):
            raise FirmwareGenError(
                f"{where} is int64 and does not hold {math.prod(raw.shape)} small numbers; convert the model again"
            )
        return Tensor(
            raw.name,
            raw.shape,
            DType.INT32,
            None,
            b"".join(value.to_bytes(4, "little", signed=True) for value in values),
        )
