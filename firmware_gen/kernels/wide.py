# SPDX-License-Identifier: Apache-2.0
"""Kernels in portable C99 for activations of 16 bits, whose zero points are 0, with weights of 8."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.record import LIMITS, Record, f32, i8, i16, i32, kernel, sharing, u8, u16, u32

_CONV = Record(
    "dimmer_conv2d_s16",
    (
        *u32("input", "output", "weights", "bias", "multipliers", "shifts"),
        *u16("input_h", "input_w", "input_c", "output_h", "output_w", "output_c", "kernel_h", "kernel_w"),
        *u16("stride_h", "stride_w", "dilation_h", "dilation_w", "pad_top", "pad_left"),
        *i16(*LIMITS),
    ),
)
CONV_2D = sharing(
    _CONV,
    "dimmer_conv2d_s16",
    """
    CONV_2D of int16[1,input_h,input_w,input_c] by int8[output_c,kernel_h,kernel_w,input_c] to
    int16[1,output_h,output_w,output_c]. bias: index into params of output_c int64,
    low word first; multipliers int32[output_c], shifts int8[output_c], -31..7. Sums have 64 bits, of which 47 are used.
    """,
)
DEPTHWISE_CONV_2D = sharing(
    _CONV,
    "dimmer_depthwise_conv2d_s16",
    "DEPTHWISE_CONV_2D. The same with weights int8[1,kernel_h,kernel_w,output_c]; output_c is a multiple of input_c.",
)
FULLY_CONNECTED = kernel(
    "dimmer_fully_connected_s16",
    """
    FULLY_CONNECTED of int16[rows,input_c] by int8[output_c,input_c] to int16[rows,output_c]. bias int32[output_c];
    scales and per_channel as in dimmer_fully_connected_s8. No sum leaves 32 bits.
    """,
    *u32("input", "output", "weights", "bias", "scales", "rows", "input_c", "output_c"),
    *i16(*LIMITS),
    *u8("per_channel"),
    *u8("reserved", count=3),
)
ADD = kernel(
    "dimmer_add_s16",
    """
    ADD of int16, or SUB where `sign` is -1. Dimensions, broadcasting and blobs as in dimmer_add_s8; each input times
    2^15 is rescaled. The shifts are -31..0.
    """,
    *u32("input1", "input2", "output"),
    *u32("dims", count=4),
    *i32("multiplier1", "multiplier2", "multiplier_output"),
    *i16(*LIMITS),
    *i8("shift1", "shift2", "shift_output", "sign"),
    *u8("broadcast1", "broadcast2", "input1_blob", "input2_blob"),
)
MUL = kernel(
    "dimmer_mul_s16",
    "MUL of int16. Dimensions, broadcasting and blobs as in dimmer_add_s8; shift is -31..30.",
    *u32("input1", "input2", "output"),
    *u32("dims", count=4),
    *i32("multiplier"),
    *i16(*LIMITS),
    *i8("shift"),
    *u8("broadcast1", "broadcast2", "input1_blob", "input2_blob"),
    *u8("reserved", count=3),
)
_POOL = Record(
    "dimmer_pool_2d_s16",
    (
        *u32("input", "output"),
        *u16("input_h", "input_w", "channels", "output_h", "output_w", "window_h", "window_w"),
        *u16("stride_h", "stride_w", "pad_top", "pad_left"),
        *i16(*LIMITS),
        *u8("reserved", count=2),
    ),
)
AVERAGE_POOL_2D = sharing(
    _POOL, "dimmer_average_pool_2d_s16", "AVERAGE_POOL_2D of int16[1,input_h,input_w,channels]; as of int8."
)
MAX_POOL_2D = sharing(_POOL, "dimmer_max_pool_2d_s16", "The same for the largest element.")
MEAN = kernel(
    "dimmer_mean_s16",
    "MEAN of int16; as dimmer_mean_s8, of fewer than 2^16 elements.",
    *u32("input", "output", "outer", "reduce1", "inner", "reduce2"),
    *i32("multiplier"),
    *i8("shift"),
    *u8("reserved", count=3),
)
SIGMOID = kernel(
    "dimmer_sigmoid_s16",
    """
    LOGISTIC of int16, or TANH where `hyperbolic` is 1, to scale 1/32768: between the 256 entries of a table of
    sigmoid(i / 24) in params, 65536 for 1. The input times `multiplier`, below 2^15, is shifted right by `shift`,
    0..30, to 1/12288.
    """,
    *u32("input", "output", "elements", "table"),
    *i32("multiplier"),
    *u8("shift", "hyperbolic"),
    *u8("reserved", count=2),
)
SOFTMAX = kernel(
    "dimmer_softmax_s16",
    """
    SOFTMAX of int16[rows,depth] to scale 1/32768. exponentials and reciprocals: indexes into params of 513 entries
    each, between which it interpolates: exp over -10..0 and 1 / (1 + x) over 0..1. multiplier and shift, -31..15, bring
    a difference to 10/65535.
    """,
    *u32("input", "output", "rows", "depth", "exponentials", "reciprocals"),
    *i32("multiplier"),
    *i8("shift"),
    *u8("reserved", count=3),
)
REQUANTIZE = kernel(
    "dimmer_requantize_s16",
    """
    QUANTIZE between int16 and int8 in any combination but int8 alone, and RELU and its kin of int16; source_type and
    output_type are DIMMER_INT8 or DIMMER_INT16, shift is -31..30.
    """,
    *u32("input", "output", "elements"),
    *i32("multiplier"),
    *i16("input_zero_point", "output_zero_point", *LIMITS),
    *i8("shift"),
    *u8("source_type", "output_type"),
    *u8("reserved", count=1),
)
QUANTIZE_F32 = kernel(
    "dimmer_quantize_f32_s16",
    "QUANTIZE float32[elements] -> int16[elements]. scale > 0.",
    *u32("input", "output", "elements"),
    *f32("scale"),
)
DEQUANTIZE_F32 = kernel(
    "dimmer_dequantize_s16_f32",
    "DEQUANTIZE int16[elements] -> float32[elements].",
    *u32("input", "output", "elements"),
    *f32("scale"),
)

KERNELS = (
    CONV_2D,
    DEPTHWISE_CONV_2D,
    FULLY_CONNECTED,
    ADD,
    MUL,
    AVERAGE_POOL_2D,
    MAX_POOL_2D,
    MEAN,
    SIGMOID,
    SOFTMAX,
    REQUANTIZE,
    QUANTIZE_F32,
    DEQUANTIZE_F32,
)
