# SPDX-License-Identifier: Apache-2.0
"""Fixed-point parameters exactly as TFLite computes them: the same mix of float32 and double, the same rounding.

Sources: tensorflow/lite/kernels/internal/quantization_util.cc, kernels/kernel_util.cc and the Prepare functions of the
    kernels.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import numpy as np

from dimmer.firmware_gen.graph.types import Activation, DType, Quantisation

INT32_MAX = 2**31 - 1


class RangeError(ValueError):
    """A scale that the fixed-point arithmetic cannot represent; the message says which."""


def round_half_away(value: float) -> int:
    """`std::round`."""
    return math.floor(value + 0.5) if value >= 0 else math.ceil(value - 0.5)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """A positive real number as Q0.31 multiplier and shift (positive = left), `QuantizeMultiplier`.

    Raises:
        RangeError: the shift would be above 30.
    """
    if not math.isfinite(real) or real < 0:
        raise RangeError(f"the rescaling factor {real:g} is not a positive number")
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    fixed = round_half_away(fraction * 2**31)
    if fixed == 2**31:
        fixed //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    if shift > 30:
        raise RangeError(f"the rescaling factor {real:g} is above 2^30")
    return fixed, shift


def quantize_multiplier_below_one(real: float) -> tuple[int, int]:
    """`QuantizeMultiplierSmallerThanOneExp`: the shift is at most 0.

    Raises:
        RangeError: the factor is not below 1, on which the stock interpreter aborts.
    """
    if not 0 < real < 1:
        raise RangeError(f"the rescaling factor {real:g} is not between 0 and 1")
    multiplier, shift = quantize_multiplier(real)
    if shift > 0:
        raise RangeError(f"the rescaling factor {real:.17g} rounds to 1")
    return multiplier, shift


def convolution_multipliers(
    source: Quantisation, weights: Quantisation, output: Quantisation, channels: int, *, unsigned: bool = False
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Multipliers and shifts of a convolution, one per output channel, `PopulateConvolutionQuantizationParams`; of
    uint8 activations those of `product_multiplier`.
    """
    scales = weights.scales if weights.per_channel else weights.scales * channels
    products = [_product(source.scale, scale) if unsigned else source.scale * scale for scale in scales]
    pairs = [quantize_multiplier(product / output.scale) for product in products]
    return tuple(multiplier for multiplier, _ in pairs), tuple(shift for _, shift in pairs)


def product_multiplier(first: Quantisation, second: Quantisation, output: Quantisation) -> tuple[int, int]:
    """Multiplier and shift of BATCH_MATMUL, `GetQuantizedConvolutionMultipler`: scales are multiplied in float32 and
    divided in double.
    """
    return quantize_multiplier(_product(first.scale, second.scale) / output.scale)


def _product(first: float, second: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.float32(first) * np.float32(second))


def multiply_by_quantized_multiplier(x: int, multiplier: int, shift: int) -> int:
    """TFLite's function of that name, which rounds twice."""
    doubled = (x << max(shift, 0)) * multiplier
    high = (doubled + 2**30) >> 31 if doubled >= 0 else -((2**30 - 1 - doubled) >> 31)
    right = max(-shift, 0)
    return high if right == 0 else (abs(high) + 2 ** (right - 1) >> right) * (1 if high >= 0 else -1)


def constant_channel(bias: int, multiplier: int, shift: int, spread: int) -> tuple[int, int, int] | None:
    """Bias, multiplier and shift within usual bounds of a channel whose output does not depend on its input: its
    weights died in training, and their scale has become so small that the bias is huge.

    Args:
        spread: no sum of products is larger.

    Returns:
        None where the output does depend on the input, or no such numbers were found.
    """
    ends = {multiply_by_quantized_multiplier(bias + sign * spread, multiplier, shift) for sign in (-1, 1)}
    if len(ends) > 1:
        return None
    (value,) = ends
    if value == 0:
        return 0, 0, -1
    # So large that the products move it by less than a quarter of a step.
    large = 4 * abs(value) * max(spread, 1)
    pair = quantize_multiplier(abs(value) / large)
    sums = [(large + sign * spread) * (1 if value > 0 else -1) for sign in (-1, 1)]
    same = all(multiply_by_quantized_multiplier(x, *pair) == value for x in sums)
    return (large if value > 0 else -large, *pair) if same and large + spread < 2**30 else None


def fully_connected_scales(source: Quantisation, weights: Quantisation, output: Quantisation) -> tuple[float, ...]:
    """The factors of FULLY_CONNECTED, one per scale of the weights: its reference kernel rescales in double."""
    return tuple(source.scale * scale / output.scale for scale in weights.scales)


def double_words(values: Sequence[float]) -> tuple[int, ...]:
    """IEEE doubles as pairs of int32, the low word first."""
    return struct.unpack(f"<{2 * len(values)}i", struct.pack(f"<{len(values)}d", *values))


def sum_multipliers(
    first: Quantisation, second: Quantisation, output: Quantisation, left_shift: int
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Multipliers and shifts of both inputs and of the output of ADD and SUB."""
    twice = float(np.float32(2) * np.float32(max(first.scale, second.scale)))
    widened = float(np.float32(2**left_shift) * np.float32(output.scale))
    if not (math.isfinite(twice) and math.isfinite(widened)):
        raise RangeError("a scale is too large for float32")
    return (
        quantize_multiplier_below_one(first.scale / twice),
        quantize_multiplier_below_one(second.scale / twice),
        quantize_multiplier_below_one(twice / widened),
    )


def squared_difference_multipliers(
    first: Quantisation, second: Quantisation, output: Quantisation, left_shift: int
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Multipliers and shifts of both inputs and of the output of SQUARED_DIFFERENCE, all in double."""
    twice = 2.0 * max(first.scale, second.scale)
    return (
        quantize_multiplier_below_one(first.scale / twice),
        quantize_multiplier_below_one(second.scale / twice),
        quantize_multiplier(twice * twice / ((1 << left_shift * 2) * output.scale)),
    )


def mul_multiplier(
    first: Quantisation, second: Quantisation, output: Quantisation, *, micro: bool = False
) -> tuple[int, int]:
    """Multiplier and shift of MUL: all of it in float32, in TFLite-Micro in double."""
    if micro:
        return quantize_multiplier(first.scale * second.scale / output.scale)
    with np.errstate(all="ignore"):
        return quantize_multiplier(float(np.float32(first.scale) * np.float32(second.scale) / np.float32(output.scale)))


def quotient_multiplier(first: Quantisation, second: Quantisation, output: Quantisation) -> tuple[int, int]:
    """Multiplier and shift of DIV: all of it in float32."""
    with np.errstate(all="ignore"):
        real = np.float32(first.scale) / (np.float32(second.scale) * np.float32(output.scale))
        return quantize_multiplier(float(real))


def ratio_multiplier(source: Quantisation, output: Quantisation) -> tuple[int, int]:
    """Multiplier and shift of a change of scale, the quotient in double (QUANTIZE, MEAN)."""
    return quantize_multiplier(source.scale / output.scale)


def ratio_multiplier_float(source: Quantisation, output: Quantisation) -> tuple[int, int]:
    """Multiplier and shift of a change of scale, the quotient in float32 (RELU and its kin)."""
    with np.errstate(all="ignore"):
        return quantize_multiplier(float(np.float32(source.scale) / np.float32(output.scale)))


def mean_multiplier(source: Quantisation, output: Quantisation, count: int) -> tuple[int, int]:
    """Multiplier and shift of MEAN over `count` elements, with the division folded in, `QuantizedMeanOrSum`."""
    multiplier, shift = ratio_multiplier(source, output)
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << extra) // count, shift - extra


def requantize(value: int, multiplier: int, shift: int) -> int:
    """Value * multiplier * 2^(shift - 31) as the kernels compute it, `MultiplyByQuantizedMultiplier`."""
    high = ((value << max(shift, 0)) * multiplier + 2**30) >> 31
    right = max(-shift, 0)
    magnitude = (abs(high) + (1 << right >> 1)) >> right
    return magnitude if high >= 0 else -magnitude


Codes = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def requantize_all(values: Codes, multiplier: int, shift: int) -> Codes:
    """`requantize` of each of many sums below 2^31 in absolute value; the shift is at most 0."""
    high = (values * multiplier + (1 << 30)) >> 31
    magnitude = (np.abs(high) + (1 << -shift >> 1)) >> -shift
    return np.asarray(np.where(high >= 0, magnitude, -magnitude))


def input_radius(integer_bits: int, left_shift: int) -> int:
    """`CalculateInputRadius` with 31 total bits."""
    return math.floor(math.ldexp(2**integer_bits - 1, 31 - integer_bits - left_shift))


def softmax_scaling(beta: float, scale: float) -> tuple[int, int, int]:
    """Multiplier, left shift and diff_min of SOFTMAX, `PreprocessSoftmaxScaling` with 5 integer bits.

    Raises:
        RangeError: beta * scale is so small that the stock interpreter aborts.
    """
    real = min(float(np.float32(beta)) * scale * 2.0 ** (31 - 5), float(INT32_MAX))
    if real <= 1:
        raise RangeError(f"beta * scale = {beta * scale:g} is too small")
    multiplier, left_shift = quantize_multiplier_above_one(real)
    return multiplier, left_shift, -input_radius(5, left_shift)


def quantize_multiplier_above_one(real: float) -> tuple[int, int]:
    """`QuantizeMultiplierGreaterThanOne`: the left shift is 0 to 31."""
    fraction, shift = math.frexp(real)
    fixed = round_half_away(fraction * 2**31)
    if fixed == 2**31:
        fixed //= 2
        shift += 1
    return fixed, shift


def logistic_table(source: Quantisation, output: Quantisation) -> bytes:
    """LOGISTIC of the codes -128..127, computed in float32 as `LUTPopulateInt8` does; the exponential is rounded from
    double, which is what a float32 library gives but for one value in hundreds of millions.
    """
    codes = []
    with np.errstate(all="ignore"):
        for code in range(-128, 128):
            real = float(np.float32(source.scale) * np.float32(code - source.zero_point))
            value = np.float32(1) / (np.float32(1) + np.float32(math.exp(min(-real, 700.0))))
            quotient = float(value * (np.float32(1) / np.float32(output.scale)))
            codes.append(max(-128, min(127, round_half_away(quotient) + output.zero_point)))
    return bytes(code & 0xFF for code in codes)


def activation_range(activation: Activation, output: Quantisation, dtype: DType = DType.INT8) -> tuple[int, int]:
    """Smallest and largest code of a fused activation, `CalculateActivationRangeQuantized`.

    Raises:
        RangeError: a limit does not fit into 32 bits, or the range is empty.
    """
    low, high = {DType.INT8: (-128, 127), DType.INT16: (-(2**15), 2**15 - 1)}.get(dtype, (0, 255))

    def code(value: float) -> int:
        with np.errstate(all="ignore"):
            quotient = float(np.float32(value) / np.float32(output.scale))
        if not abs(quotient) < 2**30:
            raise RangeError(f"the scale {output.scale:g} is too small for {activation.value}")
        return output.zero_point + round_half_away(quotient)

    if activation in (Activation.RELU, Activation.RELU6):
        low = max(low, code(0.0))
    if activation is Activation.RELU6:
        high = min(high, code(6.0))
    if activation is Activation.RELU_N1_TO_1:
        low, high = max(low, code(-1.0)), min(high, code(1.0))
    if low > high:
        raise RangeError(f"{activation.value} leaves no code of zero point {output.zero_point}")
    return low, high
