# SPDX-License-Identifier: Apache-2.0
"""Several inputs and outputs of a model that runs here: arrays by their names, and the buffer of them all."""

from __future__ import annotations

import math
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
        name: of its tensor; of a further one of that name with its number behind it (`distinct`).
        shape: of one inference.
        dtype: as numpy calls it.
        scale: real value of one code; 0 where it has none.
        zero_point: code of 0.
        offset: bytes into the buffer that holds all of them.
        size: its bytes.
        lowest: measured value of code -128, of each channel, in the unit of the training data; nothing where the
            header does not tell it.
        step: measured value of one code.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int
    offset: int
    size: int
    lowest: tuple[float, ...] = ()
    step: tuple[float, ...] = ()

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Of one sample of a batch."""
        return sample_shape(self.shape)

    @property
    def place(self) -> slice:
        """Of its bytes in the buffer."""
        return slice(self.offset, self.offset + self.size)


def sample_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """A tensor's shape without a batch of 1, if it has one.

    Examples:
        >>> sample_shape((1, 8, 8, 3)), sample_shape((4, 4)), sample_shape((1,))
        ((8, 8, 3), (4, 4), (1,))
    """
    return tuple(shape[1:] if len(shape) > 1 and shape[0] == 1 else shape)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, of which a further one that is equal has a number behind it.

    Examples:
        >>> distinct(["y", "z", "y", "y_1"])
        ('y', 'z', 'y_2', 'y_1')
    """
    found: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in range(1, len(names) * len(names) + 2))
        found.append(name if name not in found else next(n for n in numbered if n not in found and n not in names))
    return tuple(found)


def accepted(dtype: str, scale: float, zero_point: int) -> str:
    """What an input takes, in words."""
    if dtype == "float32":
        return "float32 values"
    if dtype not in RANGES or not scale:
        return f"{dtype}, which has no scale"
    return f"{dtype} codes, or float32 values (scale {scale:.6g}, zero point {zero_point})"


def array(values: object, whose: str) -> NDArray[Any]:
    """What somebody gave, as an array.

    Raises:
        DimmerError: it cannot become one, such as lists of several lengths.
    """
    try:
        return np.asarray(values)
    # The last one is PyTorch's, of a tensor with a gradient.
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise DimmerError(f"{whose} cannot become an array ({error}): give numbers in rows of one length") from error


def numbers(values: NDArray[Any], whose: str) -> NDArray[Any]:
    """The same.

    Raises:
        DimmerError: they are texts, objects or complex.
    """
    if values.dtype.kind not in "fiub":
        raise DimmerError(f"{whose} is {values.dtype}: give numbers")
    return values


def by_name(model: str, given: object) -> Mapping[str, object]:
    """Arrays by the names of inputs.

    Raises:
        DimmerError: it is no dictionary.
    """
    if not isinstance(given, Mapping):
        raise DimmerError(f"{model}: inputs are given by their names, as a dictionary, not as {type(given).__name__}")
    return given


def single(values: NDArray[Any]) -> NDArray[np.float32]:
    """As float32; what lies beyond its range is infinite, which saturates."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def coded(model: str, parts: Sequence[HostedPart], given: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.int8]]:
    """What training data has as codes, just as training and `..._input_code_<number>` of the header make them.

    Args:
        given: of some inputs an array [N, ...] of samples, as training data has it: measured values in their unit, or
            uint8 codes.

    Returns:
        Of each int8[N, *shape[1:]], for `joined`.

    Raises:
        DimmerError: a name is unknown, or an array of another shape or type.
    """
    known = {part.name: part for part in parts}
    found = {}
    for name, values in by_name(model, given).items():
        if name not in known:
            raise DimmerError(f"{model} has no input {name!r}; it has: {', '.join(known)}")
        part, x = known[name], array(values, f"{model}: the input {name!r}")
        one, sides = part.sample_shape, [side for side in x.shape[1:] if side > 1]
        if not x.ndim or sides not in ([side for side in one if side > 1], [n for n in (math.prod(one),) if n > 1]):
            wanted = ",".join(map(str, one))
            raise DimmerError(f"{model}: the input {name!r} has shape {list(x.shape)}, expected [N,{wanted}]")
        x = x.reshape(len(x), *one)
        if part.dtype != "int8":
            raise DimmerError(f"{model}: the input {name!r} is no int8: give run_named its values as they are")
        if x.dtype == np.uint8 and not part.lowest:
            found[name] = (x ^ np.uint8(128)).view(np.int8)
        elif part.lowest and x.dtype.kind in "fiub":
            found[name] = _measured(x, part)
        else:
            lacks = "no measured values in training" if not part.lowest else "numbers in training"
            raise DimmerError(f"{model}: the input {name!r} is {x.dtype} and has {lacks}: give uint8 codes")
    return found


def _measured(values: NDArray[Any], part: HostedPart) -> NDArray[np.int8]:
    """As the header's function: in float32; what is no number becomes the lowest code."""
    lowest, step = np.asarray(part.lowest, np.float32), np.asarray(part.step, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        places = (values.astype(np.float32) - lowest) / step + np.float32(0.5)
    inside = np.where(places > 0, np.minimum(places, np.float32(255)), np.float32(0))
    found: NDArray[np.int8] = (inside.astype(np.int16) - 128).astype(np.int8)
    return found


def quantised(values: NDArray[Any], dtype: str, scale: float, zero_point: int, whose: str) -> NDArray[Any]:
    """Real values as codes: to the nearest, halves away from zero, saturating.

    Raises:
        DimmerError: a value is not a number.
    """
    with np.errstate(over="ignore"):
        steps = (single(numbers(values, whose)) / np.float32(scale)).astype(np.float64)
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
    named = by_name(model, given)
    names = ", ".join(part.name for part in parts)
    for name in named:
        if name not in {part.name for part in parts}:
            raise DimmerError(f"{model} has no input {name!r}; it has: {names}")
    rows: list[NDArray[Any]] = []
    alone = True
    for part in parts:
        if part.name not in named:
            raise DimmerError(f"{model}: the input {part.name!r} is missing; give {names}")
        x = array(named[part.name], f"{model}: the input {part.name!r}")
        rest = part.shape[1:] if len(part.shape) > 1 else part.shape
        if x.shape != part.shape and x.shape[1:] != rest:
            batch = ("N", *rest)
            raise DimmerError(
                f"{model}: the input {part.name!r} has shape {list(x.shape)}, expected {list(part.shape)}, or a batch "
                f"[{', '.join(map(str, batch))}]"
            )
        alone &= x.shape == part.shape
        real = np.issubdtype(x.dtype, np.floating)
        if real and part.dtype == "float32":
            x = single(x)
        elif real and part.scale and part.dtype in RANGES:
            x = quantised(x, part.dtype, part.scale, part.zero_point, f"{model}: the input {part.name!r}")
        elif x.dtype != part.dtype:
            wanted = accepted(part.dtype, part.scale, part.zero_point)
            raise DimmerError(f"{model}: the input {part.name!r} is {x.dtype}: give {wanted}")
        rows.append(in_samples(x, part.shape, f"{model}: the input {part.name!r}"))
    counts = {len(row) for row in rows}
    if len(counts) > 1:
        raise DimmerError(f"{model}: the inputs {names} have {', '.join(str(len(row)) for row in rows)} samples")
    buffer = np.zeros((len(rows[0]), sum(part.size for part in parts)), np.int8)
    for part, row in zip(parts, rows, strict=True):
        buffer[:, part.place] = row.reshape(len(row), math.prod(part.shape)).view(np.int8)
    return buffer, alone


def in_samples(x: NDArray[Any], shape: tuple[int, ...], whose: str) -> NDArray[Any]:
    """A batch [N, *shape[1:]], or one sample, as [N / shape[0], *shape]; of a shape of one dimension [N, *shape].

    Args:
        whose: "lamp: the input", for the error.

    Raises:
        DimmerError: N is no multiple of what a sample has.
    """
    if len(shape) > 1 and len(x) % shape[0]:
        raise DimmerError(f"{whose} has a batch of {len(x)}, and an inference takes {shape[0]}: give a multiple")
    return np.ascontiguousarray(x).reshape(-1, *shape)


def apart(parts: Sequence[HostedPart], buffer: NDArray[Any], *, dequantise: bool = False) -> dict[str, NDArray[Any]]:
    """Outputs by their names, [N, *shape[1:]] each ([N, *shape] where no batch leads), of a buffer int8[N,bytes].

    Args:
        dequantise: whether they become float32 values.
    """
    found = {}
    for part in parts:
        codes = np.ascontiguousarray(buffer[:, part.place]).view(part.dtype)
        codes = codes.reshape(len(buffer), *part.sample_shape)
        found[part.name] = dequantised(codes, part.scale, part.zero_point) if dequantise else codes
    return found
