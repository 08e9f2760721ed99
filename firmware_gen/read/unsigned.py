# SPDX-License-Identifier: Apache-2.0
"""Files of uint8 activations as files of int8: every code and zero point less by 128.

Kernels of TFLite take zero points off first, so that most give the same codes less by 128; for the others a record says
that it was unsigned. Weights lose their zero points where what is left fits int8.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.read.flatbuffer import RawModel, RawOperator, RawTensor

_FLOAT32 = schema.TensorType.FLOAT32
UNSIGNED = "Unsigned"
"""An option that a file does not have: the operator worked on uint8."""
OFFSET = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
"""Operators whose weights may keep a zero point."""
WEIGHTED = (*OFFSET, "TRANSPOSE_CONV")
OTHERWISE = ("L2_NORMALIZATION", "RESIZE_BILINEAR")
"""Operators that TFLite computes in another way of uint8, with other results."""
SIGNED_ALONE = (
    *("ABS", "BATCH_MATMUL", "EXP", "LOG", "NEG", "RSQRT", "SQRT", "SQUARED_DIFFERENCE", "SVDF"),
    *("UNIDIRECTIONAL_SEQUENCE_LSTM", "FLOOR_DIV", "CAST"),
)
"""Operators of which TFLite has no kernel for uint8; and CAST, which takes codes as they are."""


@dataclass(frozen=True, slots=True)
class Recoded:
    """A file without uint8 but at its ends.

    Attributes:
        ends: (tensor of the file's interface, the tensor within that has its values as int8), for each that is uint8.
    """

    raw: RawModel
    ends: tuple[tuple[int, int], ...] = ()


def recoded(raw: RawModel) -> Recoded:
    """The file as int8 where anything but QUANTIZE at its ends works on uint8; else as it is."""
    if not any(_works_on_uint8(raw, operator) for operator in raw.operators):
        return Recoded(raw)
    weights = _weights(raw)
    tensors = [_signed(tensor, weights=index in weights) for index, tensor in enumerate(raw.tensors)]
    places: dict[int, int] = {}
    for index in (*raw.inputs, *raw.outputs):
        if _unsigned(raw, index) and index not in places:
            places[index] = len(tensors)
            tensors.append(raw.tensors[index])
            tensors[index] = replace(tensors[index], name=f"{tensors[index].name} as int8")
    operators = tuple(
        replace(operator, options={**operator.options, UNSIGNED: True})
        if any(_unsigned(raw, index) for index in (*operator.inputs, *operator.outputs))
        else operator
        for operator in raw.operators
    )
    changed = replace(
        raw,
        tensors=tuple(tensors),
        operators=operators,
        others=tuple(
            replace(other, tensors=tuple(_signed(tensor, weights=False) for tensor in other.tensors))
            for other in raw.others
        ),
        inputs=tuple(places.get(index, index) for index in raw.inputs),
        outputs=tuple(places.get(index, index) for index in raw.outputs),
    )
    return Recoded(changed, tuple((end, inner) for inner, end in places.items()))


def _weights(raw: RawModel) -> set[int]:
    """Tensors that all who read them take for weights: whoever passes codes on wants them less by 128."""
    ends = {*raw.inputs, *raw.outputs}
    found: set[int] = set()
    otherwise = set(ends)
    for operator in raw.operators:
        for place, index in enumerate(operator.inputs):
            (found if operator.kind in WEIGHTED and place == 1 else otherwise).add(index)
    return found - otherwise


def _unsigned(raw: RawModel, index: int) -> bool:
    return 0 <= index < len(raw.tensors) and raw.tensors[index].type == schema.TensorType.UINT8


def _works_on_uint8(raw: RawModel, operator: RawOperator) -> bool:
    both: Iterable[int] = (*operator.inputs, *operator.outputs)
    if operator.kind == "CAST":
        return False
    if operator.kind != "QUANTIZE":
        return any(_unsigned(raw, index) for index in both)
    # At one of the ends alone there is a kernel for it.
    ends = {*raw.inputs, *raw.outputs}
    found = [index for index in both if _unsigned(raw, index)]
    float_end = any(0 <= index < len(raw.tensors) and raw.tensors[index].type == _FLOAT32 for index in both)
    return len(found) > 1 or any(index not in ends or float_end for index in found)


def _signed(tensor: RawTensor, *, weights: bool) -> RawTensor:
    if tensor.type != schema.TensorType.UINT8 or tensor.sparse is not None:
        return tensor  # whose zeros are codes of 0: refused where it is read
    zero_points = tuple(zero_point - 128 for zero_point in tensor.zero_points)
    data = tensor.data
    if data is not None:
        codes = np.frombuffer(data, np.uint8).astype(np.int64)
        if weights and len(zero_points) == 1 and 0 <= tensor.zero_points[0] <= 255:
            values = codes - tensor.zero_points[0]
            if values.size and values.min() >= -128 and values.max() <= 127:
                return replace(tensor, type=schema.TensorType.INT8, data=_bytes(values), zero_points=(0,))
        data = _bytes(codes - 128)
    return replace(tensor, type=schema.TensorType.INT8, data=data, zero_points=zero_points)


def _bytes(values: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> bytes:
    return values.astype(np.int8).tobytes()
