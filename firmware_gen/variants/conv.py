# SPDX-License-Identifier: Apache-2.0
"""A step of a convolution as variants see it: its shape, and what can be proven of its sums."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dimmer.firmware_gen.lower.steps import Params, Shifts, Step, Weights


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


def sum_elements(step: Step) -> int:
    """Elements of an ADD, or of the one that was fused into the step."""
    dims = step.fields.get("dims", step.fields.get("add_dims"))
    assert isinstance(dims, tuple)
    return math.prod(dims)


def weights_of(step: Step) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The weights of a convolution step as they are stored, int64[output_c, kernel_h, kernel_w, input_c] or
    int64[1, kernel_h, kernel_w, output_c].
    """
    value = step.fields["weights"]
    assert isinstance(value, Weights)
    return np.frombuffer(value.data, dtype=np.int8).astype(np.int64).reshape(value.shape)


def product_sums(step: Step) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """For each channel, no sum of products of codes, nor any part of one in any order, is larger than this; nor one of
    their slices, which are smaller.
    """
    weights = np.abs(weights_of(step))
    depthwise = "depth_multiplier" in step.fields
    return np.asarray(128 * (weights.sum(axis=(0, 1, 2)) if depthwise else weights.sum(axis=(1, 2, 3))))


def largest_product_sum(step: Step) -> int:
    """Without bias."""
    return int(product_sums(step).max())


def largest_sum(step: Step) -> int:
    """With bias."""
    bias = step.fields["bias"]
    assert isinstance(bias, Params)
    return int((np.abs(np.array(bias.values, dtype=np.int64)) + product_sums(step)).max())


def eight_bits(step: Step) -> bool:
    """Whether the weights are used as they are stored, not a slice of them."""
    return number(step, "weight_bits") in (0, 8)
