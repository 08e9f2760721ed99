# SPDX-License-Identifier: Apache-2.0
"""Float32 operators between a DEQUANTIZE and a QUANTIZE that are a function of one int8 code: a table of 256 codes.

The interpreter itself computes the table, by a file of the same operators whose input is every code once. So it is
exact wherever each element of the result follows from the same element of one int8 tensor, constants being single
numbers. Anything else between the two is refused where it is read, and so is a result that no code stands for: not a
number, without end, or further from 0 than QUANTIZE's cast to an integer is defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import DType, Tensor
from dimmer.firmware_gen.read.flatbuffer import RawModel, RawOperator, RawTensor, options_of

ELEMENTWISE = frozenset(
    (
        *("ABS", "ADD", "COS", "DIV", "EXP", "FLOOR", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOG"),
        *("LOGISTIC", "MAXIMUM", "MINIMUM", "MUL", "NEG", "POW", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1"),
        *("RSQRT", "SIGN", "SIN", "SQRT", "SQUARE", "SQUARED_DIFFERENCE", "SUB", "TANH"),
    )
)
CODES = np.arange(-128, 128, dtype=np.int8)
MOST_OPERATORS = 64
CAST = np.float32(2**31)
"""Steps from 0, which QUANTIZE casts to int32: floats below it leave room for any zero point, too."""


@dataclass(frozen=True, slots=True)
class Island:
    """Float operators that are one function of a code.

    Attributes:
        source: the int8 tensor of the file that they are computed from.
        output: the int8 tensor that they end in.
        operators: their places in the file, every DEQUANTIZE among them and QUANTIZE last.
    """

    source: int
    output: int
    operators: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Islands:
    """All of a file.

    Attributes:
        ends: place of the QUANTIZE -> island.
        within: operators that nothing needs any more.
    """

    ends: dict[int, Island]
    within: frozenset[int]


def islands_of(raw: RawModel) -> Islands:
    """The islands of a file, as its operators stand."""
    makers = {output: place for place, operator in enumerate(raw.operators) for output in operator.outputs}
    ends = {}
    for place, operator in enumerate(raw.operators):
        if operator.kind == "QUANTIZE" and (found := _island(raw, makers, place)) is not None:
            ends[place] = found
    places = {place for island in ends.values() for place in island.operators[:-1]}
    members = {place for place in places if raw.operators[place].kind != "DEQUANTIZE"}
    kept = {*raw.outputs}
    # From the end: what one operator still needs, none before it may drop.
    for place in range(len(raw.operators) - 1, -1, -1):
        operator = raw.operators[place]
        if place not in ends and (place not in members or kept & {*operator.outputs}):
            kept.update(operator.inputs)
    within = {place for place in members if not kept & {*raw.operators[place].outputs}}
    return Islands(ends, frozenset(within))


def _island(raw: RawModel, makers: dict[int, int], end: int) -> Island | None:
    last = raw.operators[end]
    if len(last.inputs) != 1 or len(last.outputs) != 1 or not _is(raw, last.outputs[0], schema.TensorType.INT8):
        return None
    found: set[int] = {end}
    # A file may dequantise one tensor as often as it likes.
    entries: set[int] = set()
    waiting = [(last.inputs[0], end)]
    shape = raw.tensors[last.outputs[0]].shape
    while waiting:
        index, reader = waiting.pop()
        if not _is(raw, index, schema.TensorType.FLOAT32):
            return None
        place = makers.get(index)
        if place is None:
            if not _number(raw.tensors[index]):
                return None
            continue
        operator = raw.operators[place]
        if raw.tensors[index].shape != shape or len(operator.outputs) != 1 or place >= reader:
            return None
        if len(found) + len(entries) > MOST_OPERATORS:
            return None
        if operator.kind == "DEQUANTIZE" and len(operator.inputs) == 1:
            if not _is(raw, operator.inputs[0], schema.TensorType.INT8) or raw.tensors[operator.inputs[0]].data:
                return None
            entries.add(place)
        elif operator.kind in ELEMENTWISE:
            if place not in found:
                found.add(place)
                waiting += [(operand, place) for operand in operator.inputs]
        else:
            return None
    sources = {raw.operators[entry].inputs[0] for entry in entries}
    if len(sources) != 1 or len(found) == 1:
        return None
    (source,) = sources
    if raw.tensors[source].shape != shape:
        return None
    return Island(source, last.outputs[0], tuple(sorted(found | entries)))


def _is(raw: RawModel, index: int, kind: int) -> bool:
    return 0 <= index < len(raw.tensors) and raw.tensors[index].type == kind


def _number(tensor: RawTensor) -> bool:
    """Whether a tensor is one constant number."""
    return tensor.data is not None and len(tensor.data) == 4 and tensor.sparse is None and {*tensor.shape} <= {1}


def table_of(raw: RawModel, island: Island, tensor: Callable[[int], Tensor], where: str) -> bytes:
    """The codes of the output, of every code of the source in turn: int8[256].

    Args:
        tensor: gives a checked tensor by its index in the file.
        where: the end of the island, for error messages.

    Raises:
        FirmwareGenError: its ends have no one scale, the interpreter does not compute it, or a code has no result.
    """
    ends = [tensor(index) for index in (island.source, island.output)]
    if any(end.dtype is not DType.INT8 or end.quantisation is None or end.q.per_channel for end in ends):
        raise FirmwareGenError(f"{where} works on floats of codes without one scale; quantise activations per tensor")
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    try:
        interpreter = Interpreter(
            model_content=_file(raw, island, ends),
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        )
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], CODES)
        interpreter.invoke()
        made, *floats = (interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details())
    except (RuntimeError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise FirmwareGenError(
            f"{where}: the interpreter does not compute its float operators ({why}); quantise them to int8"
        ) from error
    _check(raw, island, floats, ends, where)
    return bytes(np.asarray(made, dtype=np.int8).tobytes())


def _check(raw: RawModel, island: Island, floats: list[NDArray[np.float32]], ends: list[Tensor], where: str) -> None:
    """Refuses results without a code, with the operator that they come from.

    Args:
        floats: the results of all operators but the last, in their order: float32[256] each.
    """
    (result,) = raw.operators[island.operators[-1]].inputs
    names = [raw.operators[place].outputs[0] for place in island.operators[:-1]]
    by_name = dict(zip(names, floats, strict=True))
    # Not "greater than": nothing that is not a number is less or greater.
    with np.errstate(all="ignore"):
        bad = np.flatnonzero(~(np.abs(by_name[result] / np.float32(ends[1].q.scale)) < CAST))
    if not bad.size:
        return
    code = int(bad[0])
    value = float(by_name[result][code])
    culprit = result
    if not np.isfinite(value):
        # What one operator made of good numbers, those after it only passed on.
        culprit = next(name for name in names if not np.isfinite(by_name[name][code]))
    place = island.operators[names.index(culprit)]
    raise FirmwareGenError(
        f"{where}: code {CODES[code]} of {ends[0].name} gives {value:g} by operator {place} "
        f"{raw.operators[place].kind} ({raw.tensors[culprit].name}), which no code stands for; "
        "bound its operand (MAXIMUM, MINIMUM or RELU), or quantise it to int8"
    )


def _file(raw: RawModel, island: Island, ends: list[Tensor]) -> bytes:
    """The operators of an island, on a row of 256; outputs are the codes, and the floats of each operator before."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers, model.operatorCodes = 3, [graph], [schema.BufferT()], []
    graph.tensors, graph.operators = [], []
    operators = [raw.operators[place] for place in island.operators]
    used = dict.fromkeys(index for operator in operators for index in (*operator.inputs, *operator.outputs))
    order = {index: number for number, index in enumerate(used)}
    for index in used:
        graph.tensors.append(_tensor(raw.tensors[index], model))
    for index, end in zip((island.source, island.output), ends, strict=True):
        scale = schema.QuantizationParametersT()
        scale.scale, scale.zeroPoint, scale.quantizedDimension = [end.q.scale], [end.q.zero_point], 0
        graph.tensors[order[index]].quantization = scale
    graph.operators = list(_operators(operators, order, model))
    graph.inputs = [order[island.source]]
    graph.outputs = [order[operator.outputs[0]] for operator in (operators[-1], *operators[:-1])]
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(tensor: RawTensor, model: Any) -> Any:
    made = schema.TensorT()
    made.name, made.type, made.buffer, made.shape = "x", tensor.type, 0, [len(CODES)]
    if tensor.data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(tensor.data, dtype=np.uint8)
        made.buffer, made.shape = len(model.buffers), [1]
        model.buffers.append(buffer)
    return made


def _operators(operators: list[RawOperator], order: dict[int, int], model: Any) -> Iterator[Any]:
    for operator in operators:
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, operator.kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = 2 if operator.kind == "DEQUANTIZE" else 1
        made = schema.OperatorT()
        made.opcodeIndex = len(model.operatorCodes)
        made.inputs = [order[index] for index in operator.inputs]
        made.outputs = [order[index] for index in operator.outputs]
        made.builtinOptionsType, made.builtinOptions = options_of(operator)
        model.operatorCodes.append(code)
        yield made
