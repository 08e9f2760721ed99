# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D with a kernel of 3x3, for any core: weights widened once, padded rows of the input held."""

from __future__ import annotations

import math

import numpy as np

from dimmer.firmware_gen.kernels.portable import DEPTHWISE_CONV_2D, DEPTHWISE_CONV_2D_3X3
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.kernels.words import DEPTHWISE_CONV_2D_WORDS
from dimmer.firmware_gen.lower.steps import Params, Step, Weights
from dimmer.firmware_gen.variants.conv import number, shape_of, shifts_of
from dimmer.firmware_gen.variants.frame import Settings, Variant
from dimmer.firmware_gen.variants.latency import LONG, REQUANTISED, RESCALED, SMALL, Products

CHANNEL = {DEPTHWISE_CONV_2D_3X3: 52, DEPTHWISE_CONV_2D_WORDS: 60}
"""Bytes of a channel's weights and rescaling."""
RUN = 4


def _largest_sum(step: Step) -> int:
    bias, weights = step.fields["bias"], step.fields["weights"]
    assert isinstance(bias, Params)
    assert isinstance(weights, Weights)
    values = np.frombuffer(weights.data, dtype=np.int8).astype(np.int64).reshape(-1, weights.shape[-1])
    return int((np.abs(np.array(bias.values, dtype=np.int64)) + 128 * np.abs(values).sum(axis=0)).max())


def _supports(step: Step) -> bool:
    shape = shape_of(step)
    window = (shape.kernel_h, shape.kernel_w, shape.dilation_h, shape.dilation_w, number(step, "depth_multiplier"))
    shifts = shifts_of(step)
    return window == (3, 3, 1, 1, 1) and -22 <= min(shifts) <= max(shifts) <= -1 and _largest_sum(step) < 2**30


def _small(step: Step) -> bool:
    """Whether sums are so small, and the activation range so wide, that outputs are rescaled in words."""
    limits = (number(step, "activation_min"), number(step, "activation_max"))
    return _supports(step) and min(shifts_of(step)) >= -11 and limits == (-128, 127) and _largest_sum(step) < 2**20


def _scratch(kernel: Kernel, step: Step) -> int:
    shape = shape_of(step)
    width = max((shape.output_w - 1) * shape.stride_w + 3, shape.pad_left + shape.input_w)
    return shape.input_c * (CHANNEL[kernel] + 3 * width)


def _rescaled(kernel: Kernel, feature: str) -> Products:
    """An output of a kernel on an instruction set."""
    if kernel == DEPTHWISE_CONV_2D_3X3:
        return REQUANTISED[feature]
    return SMALL if feature == "thumb1" else RESCALED[feature]


def _variant(kernel: Kernel, feature: str, in_run: float, alone: float, widen: float) -> Variant:
    """For an instruction set: cycles of an output in a run of four and of another one, and of a channel; of Thumb-2,
    which Cortex-M4 has as well, instructions.
    """
    features = {feature} if kernel == DEPTHWISE_CONV_2D_3X3 else {feature, "words"}

    def cost(step: Step, _settings: Settings) -> float:
        shape = shape_of(step)
        runs = shape.output_w // RUN if shape.stride_w == 1 else 0
        outputs = RUN * runs * in_run + (shape.output_w - RUN * runs) * alone
        return shape.input_c * (shape.output_h * outputs + widen)

    def products(step: Step, _settings: Settings) -> Products:
        shape = shape_of(step)
        return (Products(9) + _rescaled(kernel, feature)).times(shape.pixels * shape.input_c)

    return Variant(
        kernel,
        DEPTHWISE_CONV_2D,
        frozenset(features),
        cost,
        _small if kernel == DEPTHWISE_CONV_2D_WORDS else _supports,
        lambda _step: ({"scratch": 0},),
        lambda step, _settings: _scratch(kernel, step),
        products=products,
    )


def _portable_cost(step: Step, _settings: Settings) -> float:
    shape = shape_of(step)
    return math.prod((shape.pixels, shape.input_c, shape.kernel_h, shape.kernel_w)) * 26.0


def _portable(feature: str) -> Variant:
    def products(step: Step, _settings: Settings) -> Products:
        shape = shape_of(step)
        per_output = Products(shape.kernel_h * shape.kernel_w) + LONG[feature]
        return per_output.times(shape.pixels * shape.input_c * number(step, "depth_multiplier"))

    words = frozenset({feature, "words"})
    return Variant(DEPTHWISE_CONV_2D, DEPTHWISE_CONV_2D, words, _portable_cost, products=products)


VARIANTS = (
    *(_portable(feature) for feature in ("thumb1", "thumb2", "riscv")),
    _variant(DEPTHWISE_CONV_2D_3X3, "thumb1", 128, 190, 200),
    _variant(DEPTHWISE_CONV_2D_3X3, "thumb2", 47, 73, 90),
    _variant(DEPTHWISE_CONV_2D_3X3, "riscv", 73, 99, 100),
    _variant(DEPTHWISE_CONV_2D_WORDS, "thumb1", 72, 112, 250),
    _variant(DEPTHWISE_CONV_2D_WORDS, "riscv", 60, 70, 150),
)
