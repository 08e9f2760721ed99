# SPDX-License-Identifier: Apache-2.0
"""Steps to try variants on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dimmer.firmware_gen.graph.slices import sliced
from dimmer.firmware_gen.kernels import portable
from dimmer.firmware_gen.lower.steps import Buffer, Params, Scratch, Shifts, Step, Weights, step
from dimmer.firmware_gen.variants.frame import Variant


def conv(weight: int = 3, **changes: Any) -> Step:
    """A convolution of 16x16x16 to 16x16x8 whose weights are all one value."""
    fields: dict[str, Any] = {
        "batches": 1,
        "input_h": 16,
        "input_w": 16,
        "input_c": 16,
        "output_h": 16,
        "output_w": 16,
        "output_c": 8,
        "kernel_h": 3,
        "kernel_w": 3,
        "stride_h": 1,
        "stride_w": 1,
        "dilation_h": 1,
        "dilation_w": 1,
        "pad_top": 1,
        "pad_left": 1,
        "weight_bits": 8,
        "slice_channels": 0,
        "input_zero_point": -128,
        "output_zero_point": 0,
        "activation_min": -128,
        "activation_max": 127,
    }
    bias, shift = changes.pop("biases", 1000), changes.pop("shift", -8)
    fields |= changes
    count = fields["output_c"]
    shape = (count, fields["kernel_h"], fields["kernel_w"], fields["input_c"])
    return step(
        portable.CONV_2D,
        "layer",
        scratch_bytes=288,
        input=Buffer(0),
        output=Buffer(1),
        scratch=Scratch(),
        weights=Weights(np.full(shape, weight, dtype=np.int8).tobytes(), shape),
        bias=Params((bias,) * count),
        multipliers=Params((1 << 30,) * count),
        shifts=Shifts((shift,) * count),
        **fields,
    )


def slice_codes(codes: np.ndarray, bits: int) -> np.ndarray:
    """The weights that slices of int8 codes are, int64 of the same shape."""
    return sliced(codes.astype(np.int8), bits).astype(np.int64)


def add(**changes: Any) -> Step:
    """A sum of 400 elements."""
    fields: dict[str, Any] = {
        "input1": Buffer(0),
        "input2": Buffer(1),
        "output": Buffer(2),
        "dims": (1, 1, 4, 100),
        **dict.fromkeys(("multiplier1", "multiplier2", "multiplier_output"), 1 << 30),
        **dict.fromkeys(("shift1", "shift2", "shift_output"), -3),
        "left_shift": 20,
        "zero_point1": 3,
        "zero_point2": 4,
        "output_zero_point": 5,
        "activation_min": -128,
        "activation_max": 127,
        **dict.fromkeys(("broadcast1", "broadcast2", "input1_blob", "input2_blob"), 0),
    }
    return step(portable.ADD, "sum", **fields | changes)


def ways(variant: Variant, step: Step) -> list[tuple[float, int, Step]]:
    """Cost, scratch and step of every setting, the cheapest first."""
    found = [
        (variant.cost(step, settings), variant.scratch(step, settings), variant.apply(step, settings))
        for settings in variant.settings(step)
    ]
    return sorted(found, key=lambda way: way[:2])


def depthwise(weight: int = 3, **changes: Any) -> Step:
    """A 3x3 depthwise convolution of 16x16x8 whose weights are all one value."""
    fields: dict[str, Any] = {
        **dict.fromkeys(("input_h", "input_w", "output_h", "output_w"), 16),
        **dict.fromkeys(("batches", "stride_h", "stride_w", "dilation_h", "dilation_w", "pad_top", "pad_left"), 1),
        "input_c": 8,
        "depth_multiplier": 1,
        "kernel_h": 3,
        "kernel_w": 3,
        "input_zero_point": -128,
        "output_zero_point": 0,
        "activation_min": -128,
        "activation_max": 127,
    }
    bias, shift = changes.pop("biases", 1000), changes.pop("shift", -8)
    fields |= changes
    count = fields["input_c"] * fields["depth_multiplier"]
    shape = (1, fields["kernel_h"], fields["kernel_w"], count)
    return step(
        portable.DEPTHWISE_CONV_2D,
        "layer",
        macs=fields["output_h"] * fields["output_w"] * count * fields["kernel_h"] * fields["kernel_w"],
        input=Buffer(0),
        output=Buffer(1),
        weights=Weights(np.full(shape, weight, dtype=np.int8).tobytes(), shape),
        bias=Params((bias,) * count),
        multipliers=Params((1 << 30,) * count),
        shifts=Shifts((shift,) * count),
        **fields,
    )


def named(variants: Sequence[Variant], name: str) -> Variant:
    """The first variant of a kernel."""
    return next(variant for variant in variants if variant.kernel.name == f"dimmer_{name}")
