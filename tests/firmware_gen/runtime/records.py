# SPDX-License-Identifier: Apache-2.0
"""Records of kernels, random tensors for them, and windows: what tests of kernels share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dimmer.firmware_gen.graph import fixed_point
from dimmer.firmware_gen.graph.types import Activation, Quantisation
from dimmer.firmware_gen.kernels.record import Kernel
from tests.firmware_gen.runtime.one_op import OneTensor

SEEDS = range(6)
ACTIVATIONS = (Activation.NONE, Activation.RELU, Activation.RELU6)
ACTIVATION_CODES = {Activation.NONE: 0, Activation.RELU: 1, Activation.RELU6: 3}
SAME, VALID = 0, 1


def quantisation(scale: float | np.ndarray, zero_point: int = 0) -> Quantisation:
    scales = tuple(float(np.float32(value)) for value in np.atleast_1d(scale))
    return Quantisation(scales, (zero_point,) * len(scales))


def random_quantisation(rng: np.random.Generator, low: float = 0.005, high: float = 0.2) -> Quantisation:
    return quantisation(rng.uniform(low, high), int(rng.integers(-128, 128)))


def tensor(shape: Sequence[int], q: Quantisation, data: np.ndarray | None = None, axis: int = 0) -> OneTensor:
    return OneTensor(tuple(map(int, shape)), scale=q.scales, zero_point=q.zero_points[0], channel_axis=axis, data=data)


def random_codes(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """All codes, the extremes more often than chance would have it."""
    codes = rng.integers(-128, 128, shape)
    extremes = rng.choice([-128, 127], shape)
    return np.where(rng.random(shape) < 0.1, extremes, codes).astype(np.int8)


Value = int | float | tuple[int, ...]


def pack(kernel: Kernel, **values: Value) -> bytes:
    """A record from its fields by name; reserved ones are zero."""
    packed: list[Value] = []
    for field in kernel.fields:
        empty: Value = (0,) * field.count if field.count else 0
        packed.append(empty if field.name.startswith("reserved") else values.pop(field.name))
    assert not values, f"{kernel.name} has no field {', '.join(values)}"
    return kernel.pack(tuple(packed))


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Output size and leading padding, as TFLite computes them."""
    output = -(-size // stride)
    total = max((output - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return output, total // 2


def valid_size(size: int, kernel: int, stride: int, dilation: int) -> int:
    return (size - (kernel - 1) * dilation - 1) // stride + 1


class Window:
    """A random window on a random image: sizes, strides, dilations, padding."""

    def __init__(self, rng: np.random.Generator, *, dilated: bool) -> None:
        self.height, self.width = (int(x) for x in rng.integers(3, 11, 2))
        self.kernel_h, self.kernel_w = (int(x) for x in rng.integers(1, 4, 2))
        self.stride_h, self.stride_w = (int(x) for x in rng.integers(1, 3, 2))
        self.dilation_h = self.dilation_w = 1
        if dilated and rng.random() < 0.4:
            # TFLite has stride or dilation, not both.
            self.stride_h = self.stride_w = 1
            self.dilation_h, self.dilation_w = (int(x) for x in rng.integers(1, 3, 2))
        fits = (
            self.height > (self.kernel_h - 1) * self.dilation_h and self.width > (self.kernel_w - 1) * self.dilation_w
        )
        self.padding = SAME if not fits or rng.random() < 0.6 else VALID
        self.pad_top = self.pad_left = 0
        if self.padding == SAME:
            self.output_h, self.pad_top = same_padding(self.height, self.kernel_h, self.stride_h, self.dilation_h)
            self.output_w, self.pad_left = same_padding(self.width, self.kernel_w, self.stride_w, self.dilation_w)
        else:
            self.output_h = valid_size(self.height, self.kernel_h, self.stride_h, self.dilation_h)
            self.output_w = valid_size(self.width, self.kernel_w, self.stride_w, self.dilation_w)

    @property
    def options(self) -> dict[str, object]:
        return {"padding": self.padding, "strideH": self.stride_h, "strideW": self.stride_w}

    @property
    def fields(self) -> dict[str, Value]:
        names = ("output_h", "output_w", "stride_h", "stride_w", "pad_top", "pad_left")
        return {"input_h": self.height, "input_w": self.width, **{name: getattr(self, name) for name in names}}

    @property
    def kernel_fields(self) -> dict[str, Value]:
        names = ("kernel_h", "kernel_w", "dilation_h", "dilation_w")
        return {name: getattr(self, name) for name in names}


def folded_bias(bias: np.ndarray, weights: np.ndarray, zero_point: int) -> np.ndarray:
    """int32[C] of int32[C] and int8[C,...]."""
    sums = weights.reshape(weights.shape[0], -1).sum(axis=1, dtype=np.int64)
    return np.asarray(bias.astype(np.int64) - zero_point * sums)


def factors_of_a_sum(first: Quantisation, second: Quantisation, output: Quantisation) -> dict[str, Value]:
    """What the records of ADD and SUB have of the scales."""
    (m1, s1), (m2, s2), (m_out, s_out) = fixed_point.sum_multipliers(first, second, output, 20)
    return {
        "multiplier1": m1,
        "multiplier2": m2,
        "multiplier_output": m_out,
        "shift1": s1,
        "shift2": s2,
        "shift_output": s_out,
        "left_shift": 20,
    }
