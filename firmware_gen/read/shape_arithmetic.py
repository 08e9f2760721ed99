# SPDX-License-Identifier: Apache-2.0
"""Operators that only compute shapes: converters write them for a batch of any size, and with a batch of 1 they are
constants.
"""

from __future__ import annotations

from collections.abc import Callable

from dimmer.firmware_gen.graph.types import DType, Tensor
from dimmer.firmware_gen.read.flatbuffer import RawOperator

KINDS = ("SHAPE", "STRIDED_SLICE", "PACK")


def folded(record: RawOperator, tensor: Callable[[int], Tensor]) -> Tensor | None:
    """The output of one of KINDS as a constant int32 tensor; None where it is not known before the network runs.

    Args:
        tensor: gives a checked tensor by its index in the file.
    """
    if len(record.outputs) != 1 or not record.inputs:
        return None
    output = tensor(record.outputs[0])
    values = _values(record, tensor)
    if values is None or output.constant or output.dtype is not DType.INT32 or output.elements != len(values):
        return None
    data = b"".join(value.to_bytes(4, "little", signed=True) for value in values)
    return Tensor(output.name, output.shape, DType.INT32, None, data)


def _values(record: RawOperator, tensor: Callable[[int], Tensor]) -> tuple[int, ...] | None:
    if record.kind == "SHAPE":
        return tensor(record.inputs[0]).shape
    operands = [_constant(tensor(index)) for index in record.inputs]
    known = [values for values in operands if values is not None]
    if len(known) != len(operands):
        return None
    if record.kind == "PACK":
        scalars = record.options.get("Axis") == 0 and all(len(values) == 1 for values in known)
        return tuple(values[0] for values in known) if scalars else None
    return _slice(known, record) if len(known) == 4 else None


def _slice(operands: list[tuple[int, ...]], record: RawOperator) -> tuple[int, ...] | None:
    """STRIDED_SLICE of a vector."""
    source, *corners = operands
    masks = {name: record.options.get(name) for name in ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask")}
    if any(len(corner) != 1 for corner in corners) or masks["EllipsisMask"] != 0 or masks["NewAxisMask"] != 0:
        return None
    (begin,), (end,), (step,) = corners
    if record.options.get("ShrinkAxisMask"):
        return source[begin : begin + 1] if begin >= 0 else source[begin:][:1]
    if step == 0:
        return None
    return source[slice(None if masks["BeginMask"] else begin, None if masks["EndMask"] else end, step)]


def _constant(tensor: Tensor) -> tuple[int, ...] | None:
    if tensor.data is None or tensor.dtype is not DType.INT32 or tensor.elements > 64:
        return None
    return tuple(
        int.from_bytes(tensor.data[at : at + 4], "little", signed=True) for at in range(0, len(tensor.data), 4)
    )
