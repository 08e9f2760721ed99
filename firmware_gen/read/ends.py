# SPDX-License-Identifier: Apache-2.0
"""What the inputs and outputs of a file must be."""

from __future__ import annotations

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import DType, Tensor

MAX_ENDS = 32


def check_batch(tensor: Tensor, source: str) -> None:
    """Checks that an input is of one inference.

    Raises:
        FirmwareGenError: it is of several.
    """
    if len(tensor.shape) > 1 and tensor.shape[0] != 1:
        raise FirmwareGenError(
            f"{source}: the input {tensor.name} has a batch of {tensor.shape[0]}, a firmware takes one at a time; "
            "convert with a batch of 1 (interpreter.resize_tensor_input does not change the file)"
        )


def existing(indexes: tuple[int, ...], tensor_count: int, what: str, source: str) -> tuple[int, ...]:
    """The inputs or outputs, if they are some of the file's tensors.

    Raises:
        FirmwareGenError: they are not, or are too many.
    """
    if not 0 < len(indexes) <= MAX_ENDS:
        raise FirmwareGenError(f"{source}: {len(indexes)} {what}s, 1 to {MAX_ENDS} can be; convert the model again")
    if what == "input" and len({*indexes}) < len(indexes):
        raise FirmwareGenError(f"{source}: has one tensor as two of its inputs; convert the model again")
    for index in indexes:
        if not 0 <= index < tensor_count:
            raise FirmwareGenError(f"{source}: its {what} is tensor {index} of {tensor_count}; convert the model again")
    return indexes


def check_boundary(tensor: Tensor, end: str, source: str) -> None:
    """Checks the type of an input or output, as `end` says.

    Raises:
        FirmwareGenError: no program could give it, or take it.
    """
    if end == "input" and tensor.dtype is DType.INT64:
        raise FirmwareGenError(f"{source}: the input {tensor.name} is int64; export it as int32, which inputs may be")
    # Outputs without are whole numbers that CAST gave; every other operator asks for a scale itself.
    if end == "input" and tensor.dtype in (DType.INT8, DType.INT16, DType.UINT8) and tensor.quantisation is None:
        raise FirmwareGenError(f"{source}: {tensor.name} has no scale and zero point; quantise the network to int8")
