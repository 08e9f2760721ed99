# SPDX-License-Identifier: Apache-2.0
"""Functions of one int8 code as tables of 256, exactly as TFLite computes them.

Sources: tensorflow/lite/kernels/activations.cc, elementwise.cc, internal/common.h (LUTPopulate),
    internal/reference/hard_swish.h and leaky_relu.h.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.options import Lookup
from dimmer.firmware_gen.graph.types import Quantisation

CODES = range(-128, 128)


def unary_table(options: Lookup, source: Quantisation, output: Quantisation) -> bytes:
    """The output code of each of the codes -128..127.

    Raises:
        RangeError: a result is so large that TFLite's own cast of it depends on the processor.
    """
    if options.function in _OF_CODES:
        return _clamped(_OF_CODES[options.function](options, source, output))
    return float_table(_OF_FLOATS[options.function], source, output)


def float_table(function: Callable[[float], float], source: Quantisation, output: Quantisation) -> bytes:
    """`LUTPopulate`: float32 but for `function`, whose result is rounded from double: what a float32 library gives but
    for one value in hundreds of millions.
    """
    codes = []
    inverse = np.float32(1) / np.float32(output.scale)
    with np.errstate(all="ignore"):
        for code in CODES:
            real = np.float32(source.scale) * np.float32(code - source.zero_point)
            rescaled = float(np.float32(_or_infinite(function, float(real))) * inverse)
            if not abs(rescaled) < 2**30:
                raise fp.RangeError(f"its result for code {code} is {rescaled:g} steps of the output")
            codes.append(fp.round_half_away(rescaled) + output.zero_point)
    return _clamped(codes)


def _or_infinite(function: Callable[[float], float], value: float) -> float:
    try:
        return function(value)
    except OverflowError:
        return math.inf


def _clamped(codes: list[int]) -> bytes:
    return bytes(max(-128, min(127, code)) & 0xFF for code in codes)


def _leaky_relu(options: Lookup, source: Quantisation, output: Quantisation) -> list[int]:
    with np.errstate(all="ignore"):
        above = float(np.float32(source.scale) / np.float32(output.scale))
        below = float(np.float32(source.scale) * np.float32(options.parameter) / np.float32(output.scale))
    pairs = {False: signed_multiplier(above), True: signed_multiplier(below)}
    return [
        _scaled(value, pairs[value < 0]) + output.zero_point for value in (code - source.zero_point for code in CODES)
    ]


def _scaled(value: int, pair: tuple[int, int]) -> int:
    """A difference of codes, rescaled.

    Raises:
        RangeError: TFLite would shift bits out of 32, of which the result depends on the processor.
    """
    multiplier, shift = pair
    if not -(2**31) <= value << max(shift, 0) < 2**31:
        raise fp.RangeError(
            f"the input's scale is so large beside the output's that TFLite shifts {value} by {shift} bits, out of 32"
        )
    return fp.multiply_by_quantized_multiplier(value, multiplier, shift)


def signed_multiplier(real: float) -> tuple[int, int]:
    """`QuantizeMultiplier` of a factor that may be negative."""
    multiplier, shift = fp.quantize_multiplier(abs(real))
    return (-multiplier if real < 0 else multiplier), shift


def _hard_swish(_options: Lookup, source: Quantisation, output: Quantisation) -> list[int]:
    one = np.float32(1)
    fine = one / np.float32(128) * np.float32(source.scale)
    multiplier, shift = fp.quantize_multiplier(float(fine / np.float32(output.scale)))
    relu_multiplier, relu_shift = fp.quantize_multiplier(float(fine / (np.float32(3) / np.float32(32768))))
    if not -15 <= shift <= 0:
        raise fp.RangeError(f"the scale {source.scale:g} is more than 128 times the output's, or below 1/256 of it")
    factor, relu_factor = _short(multiplier), _short(relu_multiplier)
    codes = []
    for code in CODES:
        value = (code - source.zero_point) * 128
        scaled = _doubling_high(value, factor)
        gate = value
        if relu_shift > 0:
            gate = _saturated(gate << (relu_shift - 1))
        gate = _doubling_high(gate, relu_factor)
        if relu_shift > 0:
            gate = _saturated(gate << 1)
        elif relu_shift < 0:
            gate = _divided(gate, -relu_shift)
        gate = (gate + (1 << 15)) >> 1
        product = abs(gate * scaled) >> 15
        product = -product if gate * scaled < 0 else min(product, 32767)
        codes.append(_divided(product, -shift) + output.zero_point)
    return codes


def _short(multiplier: int) -> int:
    return min((multiplier + (1 << 15)) >> 16, 32767)


def _saturated(value: int) -> int:
    return max(-32768, min(32767, value))


def _doubling_high(a: int, b: int) -> int:
    """`SaturatingRoundingDoublingHighMul` of int16."""
    product = a * b
    nudge = 1 << 14 if product >= 0 else 1 - (1 << 14)
    total = product + nudge
    return min(abs(total) >> 15, 32767) if total >= 0 else -(abs(total) >> 15)


def _divided(value: int, exponent: int) -> int:
    """`RoundingDivideByPOT`: halves away from zero."""
    magnitude = (abs(value) + (1 << exponent >> 1)) >> exponent
    return magnitude if value >= 0 else -magnitude


def _abs(_options: Lookup, source: Quantisation, output: Quantisation) -> list[int]:
    values = [abs(code - source.zero_point) for code in CODES]
    if source.scale == output.scale:
        return [value + output.zero_point for value in values]
    pair = fp.ratio_multiplier_float(source, output)
    return [_scaled(value, pair) + output.zero_point for value in values]


def _relu_0_to_1(_options: Lookup, source: Quantisation, output: Quantisation) -> list[int]:
    pair = fp.ratio_multiplier_float(source, output)
    top = output.zero_point + fp.round_half_away(float(np.float32(1) / np.float32(output.scale)))
    codes = [_scaled(code - source.zero_point, pair) for code in CODES]
    return [max(output.zero_point, min(top, code + output.zero_point)) for code in codes]


def _relu6_micro(_options: Lookup, source: Quantisation, _output: Quantisation) -> list[int]:
    """TFLite-Micro's: the input's codes, whatever the output's scale."""
    top = min(127, source.zero_point + fp.round_half_away(float(np.float32(6) / np.float32(source.scale))))
    return [max(source.zero_point, min(top, code)) for code in CODES]


def _tanh_micro(_options: Lookup, source: Quantisation, _output: Quantisation) -> list[int]:
    """TFLite-Micro's: of an output whose scale is 1/128."""
    table = float_table(math.tanh, source, Quantisation((1 / 128,), (0,)))
    return [(code ^ 128) - 128 for code in table]


def _neg(_options: Lookup, _source: Quantisation, _output: Quantisation) -> list[int]:
    """Of the codes themselves, whatever the scales; -128 stays."""
    return [-128 if code == -128 else -code for code in CODES]


RSQRT_SHIFT = 20


def _rsqrt(_options: Lookup, source: Quantisation, output: Quantisation) -> list[int]:
    """The interpreter stops at negative values, which become the largest code here, as zero does."""
    root = np.sqrt(np.float32(source.scale))
    multiplier, shift = fp.quantize_multiplier(float(np.float32(1) / (root * np.float32(output.scale))))
    codes = []
    for code in CODES:
        value = code - source.zero_point
        if value <= 0:
            codes.append(127)
            continue
        data = fp.multiply_by_quantized_multiplier(1, *inverse_square_root(value, RSQRT_SHIFT))
        codes.append(fp.multiply_by_quantized_multiplier(data, multiplier, shift - RSQRT_SHIFT) + output.zero_point)
    return codes


def inverse_square_root(value: int, extra: int) -> tuple[int, int]:
    """`GetInvSqrtQuantizedMultiplierExp` with a reversed shift, and `extra` bits more."""
    if value <= 1:
        return fp.INT32_MAX, extra
    shift = 11
    while value >= 1 << 29:
        value //= 4
        shift += 1
    left = (32 - value.bit_length() - 1) // 2 - 1
    shift -= left
    value <<= 2 * left
    # Newton-Raphson with 3 integer bits, from 1 on.
    x, half = 1 << 28, _divided(value >> 1, 1)
    for _ in range(5):
        cube = _wide(_high(_high(x, x), x) << 6)
        x = _wide((_high(3 << 27, x) - _high(half, cube)) << 3)
    multiplier = _high(x, 1518500250)
    if shift < 0:
        multiplier <<= -shift
        shift = 0
    return multiplier, -shift + extra


def _wide(value: int) -> int:
    return max(-(2**31), min(fp.INT32_MAX, value))


def _high(a: int, b: int) -> int:
    """`SaturatingRoundingDoublingHighMul` of int32, of which no two factors are both the lowest value."""
    total = a * b
    nudge = (1 << 30) if total >= 0 else 1 - (1 << 30)
    total += nudge
    return total >> 31 if total >= 0 else -(-total >> 31)


def _log(_options: Lookup, source: Quantisation, output: Quantisation) -> list[int]:
    """What has no logarithm becomes the smallest code."""
    table = float_table(lambda value: math.log(value) if value > 0 else 0.0, source, output)
    return [(table[code + 128] ^ 128) - 128 if code > source.zero_point else -128 for code in CODES]


def _sqrt(_options: Lookup, source: Quantisation, output: Quantisation) -> list[int]:
    """Cut, not rounded. The interpreter stops at negative values, which become zero here."""
    codes = []
    for code in CODES:
        real = np.float32(source.scale) * np.float32(max(code - source.zero_point, 0))
        steps = float(np.sqrt(real) / np.float32(output.scale))
        codes.append(math.floor(min(steps, 2.0**30)) + output.zero_point)
    return codes


def _gelu(value: float) -> float:
    return 0.5 * value * (1 + math.erf(value * math.sqrt(0.5)))


def _gelu_approximated(value: float) -> float:
    return 0.5 * value * (1 + math.tanh(math.sqrt(2 / math.pi) * (value + 0.044715 * value**3)))


_OF_CODES: Mapping[str, Callable[[Lookup, Quantisation, Quantisation], list[int]]] = {
    "LEAKY_RELU": _leaky_relu,
    "HARD_SWISH": _hard_swish,
    "ABS": _abs,
    "NEG": _neg,
    "RELU_0_TO_1": _relu_0_to_1,
    "RSQRT": _rsqrt,
    "LOG": _log,
    "SQRT": _sqrt,
    "RELU6_MICRO": _relu6_micro,
    "TANH_MICRO": _tanh_micro,
}
_OF_FLOATS: Mapping[str, Callable[[float], float]] = {
    "TANH": math.tanh,
    "EXP": math.exp,
    "GELU": _gelu,
    "GELU_APPROXIMATED": _gelu_approximated,
}
