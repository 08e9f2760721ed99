# SPDX-License-Identifier: Apache-2.0
"""Fixed-point arithmetic of the reference kernels, as TVM expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dimmer.firmware_gen.graph.slices import SLICES, UNITS
from dimmer.firmware_gen.graph.types import Window


def i64(value: int) -> Any:
    """A constant of 64 bits."""
    from tvm import tirx

    return tirx.const(value, "int64")


def range_of(shifts: Sequence[int]) -> tuple[int, int]:
    """The least and the greatest."""
    return min(shifts), max(shifts)


def with_padding(x: Any, window: Window, value: int, multiple: int, codes: str) -> Any:
    """The image with its border, channels filled up to a multiple, of another element type."""
    from tvm import te, tirx

    p = window.padding
    _, height, width, depth = (int(n) for n in x.shape)
    bordered = any((p.top, p.bottom, p.left, p.right))
    if not bordered and depth % multiple == 0 and codes == "int8":
        return x
    shape = (1, height + p.top + p.bottom, width + p.left + p.right, depth + -depth % multiple)

    def code(n: Any, y: Any, z: Any, c: Any) -> Any:
        taken = x[n, y - p.top, z - p.left, c].astype(codes)
        if bordered:
            inside = tirx.all(y >= p.top, y < p.top + height, z >= p.left, z < p.left + width)
            taken = tirx.if_then_else(inside, taken, tirx.const(value, codes))
        if depth % multiple:
            taken = tirx.if_then_else(c < depth, taken, tirx.const(0, codes))
        return taken

    return te.compute(shape, code, name="padded")


def slice_of(w: Any, bits: int) -> Any:
    """The bits of int8 weights that a narrow mode computes with: firmware_gen.graph.slices.sliced."""
    from tvm import te, tirx

    if bits == 8:
        return w
    shift, largest = SLICES[bits]

    def code(*at: Any) -> Any:
        rounded = (w[at].astype("int16") + tirx.const(1 << (shift - 1), "int16")) >> tirx.const(shift, "int16")
        limits = (tirx.const(-largest, "int16"), tirx.const(largest, "int16"))
        unit = tirx.const(UNITS[bits], "int16")
        return (tirx.max(tirx.min(rounded, limits[1]), limits[0]) * unit).astype("int8")

    return te.compute(w.shape, code, name="sliced")


def as_code(value: Any, low: int, high: int) -> Any:
    """A value clamped to low..high, as int8."""
    from tvm import tirx

    dtype = str(value.ty)
    limits = (tirx.const(low, dtype), tirx.const(high, dtype))
    return tirx.max(tirx.min(value, limits[1]), limits[0]).astype("int8")


def requantised(x: Any, multiplier: Any, shift: Any, shifts: tuple[int, int] | None = None) -> Any:
    """X * multiplier * 2^(shift - 31) as dimmer_requantize rounds it; a positive shift is to the left.

    Args:
        shifts: the least and the greatest value of a shift that is read from memory.

    Returns:
        int32 where every shift is to the right, so that there is room for a zero point; else int64.
    """
    from tvm import tirx

    fixed = isinstance(shift, int)
    least, greatest = shifts or (shift, shift)
    if fixed:
        multiplier = i64(multiplier)
    wide = x.astype("int64")
    if greatest > 0:
        left = i64(shift) if fixed else tirx.max(shift, tirx.const(0, "int32")).astype("int64")
        wide = (wide << left).astype("int32").astype("int64")
    high = ((wide * multiplier.astype("int64") + i64(1 << 30)) >> i64(31)).astype("int32")
    if least >= 0:
        return high.astype("int64")
    one = tirx.const(1, "int32")
    right = tirx.const(-shift - 1, "int32") if fixed else -shift - one
    # Halves go away from zero: one less below zero, then halves up.
    below = high + (high >> tirx.const(31, "int32"))
    if greatest < 0:
        return ((below >> right) + one) >> one
    rounded = ((below >> tirx.max(right, tirx.const(0, "int32"))) + one) >> one
    return tirx.Select(shift < 0, rounded, high).astype("int64")
