# SPDX-License-Identifier: Apache-2.0
"""Fixed-point arithmetic in TVM's loops: the integers of the reference kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dimmer.firmware_gen.graph.fixed_point import requantize
from dimmer.firmware_gen.graph.slices import sliced
from dimmer.firmware_gen.graph.types import Padding, Window
from dimmer.pipeline.tvm.arithmetic import as_code, range_of, requantised, slice_of, with_padding

tvm = pytest.importorskip("tvm", reason="needs apache-tvm")
pytestmark = pytest.mark.xdist_group("tvm")

Array = npt.NDArray[Any]


def run(loops: Callable[..., Any], *arrays: Array) -> Array:
    """What a TVM computation makes of arrays, on this machine."""
    from tvm import te

    inputs = [te.placeholder(array.shape, str(array.dtype)) for array in arrays]
    output = loops(*inputs)
    built = tvm.tirx.build(te.create_prim_func([*inputs, output]), target="llvm")
    shape, dtype = [int(n) for n in output.shape], str(output.dtype)
    result = tvm.runtime.tensor(np.zeros(shape, dtype))
    built["main"](*[tvm.runtime.tensor(array) for array in arrays], result)
    return np.asarray(result.numpy())


VALUES = np.array([0, 1, -1, 2, -2, 3, -3, 5, -5, 127, -128, 9_999, -10_001, 1 << 20, -(1 << 20) - 1], np.int32)


@pytest.mark.parametrize("shift", [-9, -1, 0, 3])
def test_a_known_shift_rescales_as_the_reference_does(shift: int) -> None:
    from tvm import te

    def loops(x: Any) -> Any:
        return te.compute(x.shape, lambda i: requantised(x[i], 1_518_500_250, shift).astype("int64"))

    assert run(loops, VALUES).tolist() == [requantize(int(value), 1_518_500_250, shift) for value in VALUES]


@pytest.mark.parametrize("shifts", [[-9, -3, -1], [-9, 0, 2], [0, 1, 3]])
def test_shifts_from_memory_rescale_as_the_reference_does(shifts: list[int]) -> None:
    from tvm import te

    multipliers = np.array([1 << 30, 1_518_500_250, (1 << 31) - 1], np.int32)

    def loops(x: Any, multiplier: Any, shift: Any) -> Any:
        def code(i: Any, j: Any) -> Any:
            return requantised(x[j], multiplier[i], shift[i], range_of(shifts)).astype("int64")

        return te.compute((3, len(VALUES)), code)

    expected = [[requantize(int(v), int(m), s) for v in VALUES] for m, s in zip(multipliers, shifts, strict=True)]
    assert run(loops, VALUES, multipliers, np.array(shifts, np.int32)).tolist() == expected


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_slices_are_those_of_the_generator(bits: int) -> None:
    codes = np.arange(-127, 128, dtype=np.int8)

    def loops(w: Any) -> Any:
        from tvm import te

        taken = slice_of(w, bits)
        return te.compute(w.shape, lambda i: taken[i] + tvm.tirx.const(0, "int8"))

    assert (run(loops, codes) == sliced(codes, bits)).all()


def test_codes_stay_within_their_limits() -> None:
    from tvm import te

    found = run(lambda x: te.compute(x.shape, lambda i: as_code(x[i] + tvm.tirx.const(0, "int32"), -5, 100)), VALUES)
    assert found.dtype == np.int8
    assert (found == np.clip(VALUES, -5, 100)).all()


def test_a_border_has_the_zero_point_and_further_channels_nothing() -> None:
    image = np.arange(1, 13, dtype=np.int8).reshape(1, 2, 2, 3)
    window = Window(3, 3, 1, 1, 1, 1, Padding(1, 0, 0, 2))
    found = run(lambda x: with_padding(x, window, 7, 4, "int16"), image)
    assert found.dtype == np.int16
    rows, columns = (window.padding.top, window.padding.bottom), (window.padding.left, window.padding.right)
    expected = np.pad(image, ((0, 0), rows, columns, (0, 0)), constant_values=7)
    assert (found[..., :3] == expected).all()
    assert not found[..., 3].any()
