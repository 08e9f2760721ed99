# SPDX-License-Identifier: Apache-2.0
"""Several inputs and outputs of a model that runs here: arrays by their names, and the buffer of them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dimmer.errors import DimmerError

RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


@dataclass(frozen=True)
class HostedPart:
    """One of several inputs or outputs.

    Attributes:
        name: of its tensor.
        shape: of one inference.
        dtype: as numpy calls it.
        scale: real value of one code; 0 where it has none.
        zero_point: code of 0.
        offset: bytes into the buffer that holds all of them.
        size: its bytes.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int
    offset: int
    size: int

    @property
    def place(self) -> slice:
        """Of its bytes in the buffer."""
        return slice(self.offset, self.offset + self.size)


def quantised(values: NDArray[Any], dtype: str, scale: float, zero_point: int, whose: str) -> NDArray[Any]:
    """Real values as codes: to the nearest, halves away from zero, saturating.

    Raises:
        DimmerError: a value is not a number.
    """
    steps = (values.astype(np.float32) / np.float32(scale)).astype(np.float64)
    if np.isnan(steps).any():
        raise DimmerError(f"{whose} holds values that are not numbers (NaN)")
    codes = np.copysign(np.floor(np.abs(steps) + 0.5), steps) + zero_point
    found: NDArray[Any] = np.clip(codes, *RANGES[dtype]).astype(dtype)
    return found


def dequantised(codes: NDArray[Any], scale: float, zero_point: int) -> NDArray[np.float32]:
    """Codes as real values; what has no scale as it is."""
    if scale == 0.0:
        return codes.astype(np.float32)
    found: NDArray[np.float32] = (codes.astype(np.int32) - np.int32(zero_point)).astype(np.float32) * np.float32(scale)
    return found


def joined(model: str, parts: Sequence[HostedPart], given: Mapping[str, ArrayLike]) -> tuple[NDArray[np.int8], bool]:
    """The buffer int8[N,bytes] of inputs by their names, and whether they are a batch.

    Args:
        given: of each input its shape, or a batch [N, *shape[1:]]; codes in its own type, or floating-point values.

    Raises:
        DimmerError: a name is missing or unknown, or an array of another shape, length or type.
    """
    names = ", ".join(part.name for part in parts)
    for name in given:
        if name not in {part.name for part in parts}:
            raise DimmerError(f"{model} has no input {name!r}; it has: {names}")
    rows: list[NDArray[Any]] = []
    single = True
    for part in parts:
        if part.name not in given:
            raise DimmerError(f"{model}: the input {part.name!r} is missing; give {names}")
        x = np.asarray(given[part.name])
        rest = part.shape[1:] if len(part.shape) > 1 else part.shape
        if x.shape != part.shape and x.shape[1:] != rest:
            batch = ("N", *rest)
            raise DimmerError(
                f"{model}: the input {part.name!r} has shape {list(x.shape)}, expected {list(part.shape)}, or a batch "
                f"[{', '.join(map(str, batch))}]"
            )
        single &= x.shape == part.shape
        if np.issubdtype(x.dtype, np.floating) and part.scale and part.dtype in RANGES:
            x = quantised(x, part.dtype, part.scale, part.zero_point, f"{model}: the input {part.name!r}")
        elif x.dtype != part.dtype:
            raise DimmerError(f"{model}: the input {part.name!r} is {x.dtype}: give {part.dtype}, or float32 values")
        rows.append(np.ascontiguousarray(x).reshape(-1, *part.shape))
    counts = {len(row) for row in rows}
    if len(counts) > 1:
        raise DimmerError(f"{model}: the inputs {names} have {', '.join(str(len(row)) for row in rows)} samples")
    buffer = np.zeros((len(rows[0]), sum(part.size for part in parts)), np.int8)
    for part, row in zip(parts, rows, strict=True):
        buffer[:, part.place] = row.reshape(len(row), -1).view(np.int8)
    return buffer, single


def apart(parts: Sequence[HostedPart], buffer: NDArray[Any], *, dequantise: bool = False) -> dict[str, NDArray[Any]]:
    """Outputs by their names, [N, *shape[1:]] each, of a buffer int8[N,bytes].

    Args:
        dequantise: whether they become float32 values.
    """
    found = {}
    for part in parts:
        codes = np.ascontiguousarray(buffer[:, part.place]).view(part.dtype)
        whole = part.shape[1:] if len(part.shape) > 1 and part.shape[0] == 1 else part.shape
        codes = codes.reshape(len(buffer), *whole)
        found[part.name] = dequantised(codes, part.scale, part.zero_point) if dequantise else codes
    return found
