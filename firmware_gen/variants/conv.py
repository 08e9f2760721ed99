"""A step of a convolution as variants see it: its shape, and what can be proven of its sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_gen.kernels import Params, Shifts, Step, Weights


@dataclass(frozen=True, slots=True)
class ConvShape:
    """The numbers of a CONV_2D or DEPTHWISE_CONV_2D step.

    Attributes:
        output_c: of CONV_2D, 0 where the record has none.
    """

    input_h: int
    input_w: int
    input_c: int
    output_h: int
    output_w: int
    output_c: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    pad_top: int
    pad_left: int

    @property
    def pixels(self) -> int:
        """Of the output."""
        return self.output_h * self.output_w


def shape_of(step: Step) -> ConvShape:
    """The shape in a step's record."""
    return ConvShape(*(number(step, name) for name in ConvShape.__slots__))


def number(step: Step, name: str) -> int:
    """A field that is a number; 0 where the record has no such field."""
    value = step.fields.get(name, 0)
    return value if isinstance(value, int) else 0


def shifts_of(step: Step) -> tuple[int, ...]:
    """TFLite's shifts, one a channel, positive = left."""
    value = step.fields["shifts"]
    return value.values if isinstance(value, Shifts) else ()


def weights_of(step: Step) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The weights of a CONV_2D step, int64[output_c, kernel_h, kernel_w, input_c]."""
    value = step.fields["weights"]
    assert isinstance(value, Weights)
    return np.frombuffer(value.data, dtype=np.int8).astype(np.int64).reshape(value.shape)


def largest_sum(step: Step) -> int:
    """No bias + sum of products of codes, nor any part of it in any order, is larger than this."""
    bias = step.fields["bias"]
    assert isinstance(bias, Params)
    weights = weights_of(step)
    sums = 128 * np.abs(weights).reshape(len(bias.values), -1).sum(axis=1)
    return int((np.abs(np.array(bias.values, dtype=np.int64)) + sums).max())


def eight_bits(step: Step) -> bool:
    """Whether the weights are used as they are stored, not a slice of them."""
    return number(step, "weight_bits") in (0, 8)
