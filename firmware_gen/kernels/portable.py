# SPDX-License-Identifier: Apache-2.0
"""Kernels in portable C99: what every core runs."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.record import (
    LIMITS,
    Record,
    f32,
    holding,
    i8,
    i16,
    i32,
    kernel,
    sharing,
    u8,
    u16,
    u32,
)

CONV_2D = kernel(
    "dimmer_conv2d_s8",
    """
    CONV_2D. input int8[batches,input_h,input_w,input_c], weights int8[output_c,kernel_h,kernel_w,input_c] (OHWI),
    output int8[batches,output_h,output_w,output_c]. bias int32[output_c] has the input's zero point folded in:
    bias[o] - input_zero_point * sum(weights[o]) modulo 2^32. Rows and columns outside the input, pad_top above and
    pad_left beside it and as many as it takes at the other ends, read as input_zero_point. multipliers
    int32[output_c], shifts int8[output_c], each -31..30.

    Every dimension, stride and dilation >= 1; kernel_h * kernel_w * input_c <= 65535.

    weight_bits is 8, or 4 or 2: the kernel then computes with slices of the weights (slice.h), which it makes for
    slice_channels channels at a time; 1 <= slice_channels <= output_c, even unless it is output_c.
    """,
    *u32("input", "output", "scratch", "weights", "bias", "multipliers", "shifts"),
    *u16("batches", "input_h", "input_w", "input_c", "output_h", "output_w", "output_c", "kernel_h", "kernel_w"),
    *u16("stride_h", "stride_w", "dilation_h", "dilation_w", "pad_top", "pad_left"),
    *u8("weight_bits", "slice_channels"),
    *i8("input_zero_point", "output_zero_point", *LIMITS),
    scratch="""
    2 * R4(kernel_h * kernel_w * input_c), or 0 where the kernel is 1x1, both pads are 0,
    (output_h - 1) * stride_h < input_h and (output_w - 1) * stride_w < input_w; and behind it, where weight_bits is
    not 8, slice_channels * kernel_h * kernel_w * input_c
    """,
)
DEPTHWISE_CONV_2D = kernel(
    "dimmer_depthwise_conv2d_s8",
    """
    DEPTHWISE_CONV_2D. As dimmer_conv2d_s8_t, but weights int8[1,kernel_h,kernel_w,output_c], and
    output_c = input_c * depth_multiplier: output channel o reads input channel o / depth_multiplier.
    """,
    *u32("input", "output", "weights", "bias", "multipliers", "shifts"),
    *u16("batches", "input_h", "input_w", "input_c", "output_h", "output_w", "depth_multiplier"),
    *u16("kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w", "pad_top", "pad_left", "reserved"),
    *i8("input_zero_point", "output_zero_point", *LIMITS),
)
DEPTHWISE_CONV_2D_3X3 = kernel(
    "dimmer_depthwise_conv2d_s8_3x3",
    """
    DEPTHWISE_CONV_2D with a kernel of 3x3, dilations and depth_multiplier 1: weights are widened once, and three
    padded rows of the input are held. Each shift is -22..-1, and the absolute value of a sum, bias included, is below
    2^30.
    """,
    holding("conv", DEPTHWISE_CONV_2D),
    *u32("scratch"),
    scratch="input_c * (52 + 3 * max((output_w - 1) * stride_w + 3, pad_left + input_w))",
)
FULLY_CONNECTED = kernel(
    "dimmer_fully_connected_s8",
    """
    FULLY_CONNECTED. input int8[rows,input_c], weights int8[output_c,input_c], output int8[rows,output_c],
    bias int32[output_c] with the input's zero point folded in as in CONV_2D (all rows of a model without bias: the
    folded part alone). scales: index into params of IEEE doubles, low word first,
    input_scale * weights_scale / output_scale each: TFLite's reference rescales here, and here alone, in double.
    per_channel 1: output_c of them, 0: one. |sum * scale| < 2^30.
    """,
    *u32("input", "output", "weights", "bias", "scales", "rows", "input_c", "output_c"),
    *i8("output_zero_point", *LIMITS),
    *u8("per_channel"),
)
FULLY_CONNECTED_FIXED = sharing(
    FULLY_CONNECTED.record,
    "dimmer_fully_connected_s8_fixed",
    """
    FULLY_CONNECTED that rescales in fixed point, where the generator has proven for every sum that is possible that
    it gives the same. scales: index into params of multiplier, start and shift of dimmer_rescale_fixed.
    """,
)
ADD = kernel(
    "dimmer_add_s8",
    """
    ADD and SUB. output has the dimensions dims[4]; bit i of broadcast1 (broadcast2) says that dimension i of that
    input is 1 and is repeated. Where both inputs have the output's shape use dims = {1, 1, 1, elements}: fewer and
    longer runs are faster. Each input lies in the arena or in weights (input1_blob, input2_blob: DIMMER_IN_ARENA or
    DIMMER_IN_WEIGHTS). left_shift is 20 in TFLite; shift1, shift2, shift_output are -31..0.

    In place: output may be an arena input that is not broadcast.
    """,
    *u32("input1", "input2", "output"),
    *u32("dims", count=4),
    *i32("multiplier1", "multiplier2", "multiplier_output"),
    *i8("shift1", "shift2", "shift_output", "left_shift", "zero_point1", "zero_point2", "output_zero_point", *LIMITS),
    *u8("broadcast1", "broadcast2", "input1_blob", "input2_blob"),
    *u8("reserved", count=3),
)
SUB = sharing(ADD.record, "dimmer_sub_s8", "The same for output = input1 - input2.")
MUL = kernel(
    "dimmer_mul_s8",
    "MUL. Dimensions, broadcasting, blobs and in place as in ADD; shift is -31..30.",
    *u32("input1", "input2", "output"),
    *u32("dims", count=4),
    *i32("multiplier"),
    *i8("shift", "zero_point1", "zero_point2", "output_zero_point", *LIMITS),
    *u8("broadcast1", "broadcast2", "input1_blob", "input2_blob"),
    *u8("reserved", count=2),
)
SQUARED_DIFFERENCE = sharing(
    ADD.record,
    "dimmer_squared_difference_s8",
    """
    SQUARED_DIFFERENCE. As ADD, but the rescaled difference is multiplied by itself; left_shift is 7 in TFLite, and
    shift_output is -31..30.
    """,
)
PRELU = kernel(
    "dimmer_prelu_s8",
    """
    PRELU: what is not negative by the positive multiplier, its product with the slope (input2) by the other.
    Dimensions, broadcasting, blobs and in place as in ADD; the shifts are -31..30.
    """,
    *u32("input1", "input2", "output"),
    *u32("dims", count=4),
    *i32("multiplier", "positive_multiplier"),
    *i8("shift", "positive_shift", "zero_point1", "zero_point2", "output_zero_point", *LIMITS),
    *u8("broadcast1", "broadcast2", "input1_blob", "input2_blob"),
    *u8("reserved", count=1),
)
_PAIR = Record(
    "dimmer_pair_s8",
    (
        *u32("input1", "input2", "output"),
        *u32("dims", count=4),
        *u8("broadcast1", "broadcast2", "input1_blob", "input2_blob"),
    ),
)
MAXIMUM = sharing(
    _PAIR,
    "dimmer_maximum_s8",
    "MAXIMUM of the codes, which TFLite does not rescale. Dimensions, broadcasting, blobs and in place as in ADD.",
)
MINIMUM = sharing(_PAIR, "dimmer_minimum_s8", "The same for the smaller one.")
PAD = kernel(
    "dimmer_pad_s8",
    "PAD and PADV2, 4-D (shorter shapes get leading ones). dims are the input's.",
    *u32("input", "output"),
    *u32("dims", count=4),
    *u16("before", "after", count=4),
    *i8("value"),
    *u8("reserved", count=3),
)
MEAN = kernel(
    "dimmer_mean_s8",
    """
    MEAN. input int8[outer,reduce1,inner,reduce2], mean over both reduced dimensions, output int8[outer,inner].
    NHWC over H and W: outer = N, reduce1 = H * W, inner = C, reduce2 = 1.

    With n = reduce1 * reduce2 < 2^23, (m, s) = QuantizeMultiplier(input_scale / output_scale) and
    k = min(63 - clz64(n), 32, 31 + s): multiplier = (m << k) / n, shift = s - k, as TFLite does.
    """,
    *u32("input", "output", "outer", "reduce1", "inner", "reduce2"),
    *i32("multiplier"),
    *i8("shift", "input_zero_point", "output_zero_point"),
    *u8("reserved"),
)
REDUCE_EXTREME = kernel(
    "dimmer_reduce_extreme_s8",
    "REDUCE_MAX where `largest` is 1, else REDUCE_MIN; dimensions as in MEAN.",
    *u32("input", "output", "outer", "reduce1", "inner", "reduce2"),
    *u8("largest"),
    *u8("reserved", count=3),
)
L2_NORMALIZATION = kernel(
    "dimmer_l2_normalization_s8",
    "L2_NORMALIZATION of each row to scale 1/128, zero point 0. depth < 2^15. In place.",
    *u32("input", "output", "rows", "depth"),
    *i8("input_zero_point"),
    *u8("reserved", count=3),
)
BATCH_MATMUL = kernel(
    "dimmer_batch_matmul_s8",
    """
    BATCH_MATMUL: products of matrices that lie anywhere, batches of rows x depth and depth x columns. places is an
    index into params of int32[batches,3]: of each product, how far to its first and second operand and its result. The
    next row of operand 1 is row1 further, that of the result row_out; behind every rows_run of them row1_jump and
    row_out_jump are added. Columns of operand 2 and of the result, and what a sum runs over of either operand, are
    counted likewise. Zero points are taken off. depth < 2^15, shift -31..30, blobs as in ADD.
    """,
    *u32("input1", "input2", "output", "places", "batches", "rows", "columns", "depth"),
    *u32("rows_run", "columns_run", "depth_run"),
    *i32("row1", "row1_jump", "row_out", "row_out_jump", "column2", "column2_jump", "column_out", "column_out_jump"),
    *i32("step1", "step1_jump", "step2", "step2_jump"),
    *i32("multiplier"),
    *i8("shift", "zero_point1", "zero_point2", "output_zero_point"),
    *u8("input1_blob", "input2_blob"),
    *u8("reserved", count=2),
)
TRANSPOSE_CONV = kernel(
    "dimmer_transpose_conv_s8",
    """
    TRANSPOSE_CONV. input int8[1,input_h,input_w,input_c], weights int8[output_c,kernel_h,kernel_w,input_c], output
    int8[1,output_h,output_w,output_c]: input pixel (y, x) reaches output pixel (y * stride_h - pad_top + kernel row,
    x * stride_w - pad_left + kernel column). bias int32[output_c] as the file has it; multipliers and shifts as in
    CONV_2D.
    """,
    *u32("input", "output", "weights", "bias", "multipliers", "shifts"),
    *u16("input_h", "input_w", "input_c", "output_h", "output_w", "output_c", "kernel_h", "kernel_w"),
    *u16("stride_h", "stride_w", "pad_top", "pad_left"),
    *i8("input_zero_point", "output_zero_point", *LIMITS),
)
_POOL_2D = Record(
    "dimmer_pool_2d_s8",
    (
        *u32("input", "output"),
        *u16("batches", "input_h", "input_w", "channels", "output_h", "output_w", "window_h", "window_w"),
        *u16("stride_h", "stride_w", "pad_top", "pad_left"),
        *i8(*LIMITS),
        *u8("reserved", count=2),
    ),
)
AVERAGE_POOL_2D = sharing(
    _POOL_2D,
    "dimmer_average_pool_2d_s8",
    """
    AVERAGE_POOL_2D. input int8[batches,input_h,input_w,channels]; the padding does not count. Input
    and output have one scale and zero point. Each window holds at least one element.
    """,
)
MAX_POOL_2D = sharing(_POOL_2D, "dimmer_max_pool_2d_s8", "The same for the largest element.")
SOFTMAX = kernel(
    "dimmer_softmax_s8",
    """
    SOFTMAX over the last dimension: int8[rows,depth] to int8[rows,depth] with scale 1/256, zero point -128.
    multiplier, left_shift (0..31) = PreprocessSoftmaxScaling(beta, input_scale, 5);
    diff_min = -CalculateInputRadius(5, left_shift, 31). depth <= 4096. In place: output may be input.
    """,
    *u32("input", "output", "rows", "depth"),
    *i32("multiplier", "diff_min"),
    *i8("left_shift"),
    *u8("reserved", count=3),
)
LUT = kernel(
    "dimmer_lut_s8",
    """
    Any function of one int8: output[i] = table[input[i] + 128], table int8[256] in weights. In place. LOGISTIC, which
    TFLite's reference looks up as well: the generator computes the table.
    """,
    *u32("input", "output", "elements", "table"),
)
REQUANTIZE = kernel(
    "dimmer_requantize_s8",
    """
    QUANTIZE between int8 and uint8 in any combination, RELU, RELU6, RELU_N1_TO_1 of int8:
    output = clamp(output_zero_point + rescale(input - input_zero_point), activation_min, activation_max),
    multiplier, shift = QuantizeMultiplier(input_scale / output_scale). In place.

    input_unsigned / output_unsigned 1: that side is uint8, its zero point and the limits are 0..255.
    """,
    *u32("input", "output", "elements"),
    *i32("multiplier"),
    *i16("input_zero_point", "output_zero_point", *LIMITS),
    *i8("shift"),
    *u8("input_unsigned", "output_unsigned", "reserved"),
)
REQUANTIZE_TABLE = kernel(
    "dimmer_requantize_s8_table",
    "The same by a table of all 256 codes. In place.",
    holding("requantize", REQUANTIZE),
    *u32("scratch"),
    scratch="256",
)
QUANTIZE_F32 = kernel(
    "dimmer_quantize_f32_s8",
    "QUANTIZE float32[elements] -> int8[elements]. scale > 0. The input is aligned to 4. In place.",
    *u32("input", "output", "elements"),
    *f32("scale"),
    *i8("zero_point"),
    *u8("reserved", count=3),
)
DEQUANTIZE_F32 = kernel(
    "dimmer_dequantize_s8_f32",
    "DEQUANTIZE int8[elements] -> float32[elements]. The output is aligned to 4.",
    *u32("input", "output", "elements"),
    *f32("scale"),
    *i8("zero_point"),
    *u8("reserved", count=3),
)
COPY = kernel(
    "dimmer_copy_s8",
    """
    Copies `rows` runs of row_bytes: run i from input + i * input_stride to output + i * output_stride.

    CONCATENATION: one step for each input. SPLIT, SLICE of one dimension: one step for each output. RESHAPE that is
    not aliased: one row. input_blob as in ADD. Input and output do not overlap.
    """,
    *u32("input", "output", "rows", "row_bytes", "input_stride", "output_stride"),
    *u8("input_blob"),
    *u8("reserved", count=3),
)
TRANSPOSE = kernel(
    "dimmer_transpose_s8",
    """
    TRANSPOSE of bytes, up to 4-D (shorter shapes get leading ones): output dense with dims[4], strides[i] is the step
    in the input, in elements, of output dimension i. Also STRIDED_SLICE with positive strides.
    """,
    *u32("input", "output"),
    *u32("dims", "strides", count=4),
)
HOLE = -(2**31)
"""In TAKE's tables: nothing is read here."""
TAKE = kernel(
    "dimmer_take_s8",
    """
    Whatever moves values: output int8[dims], dense; offsets int32[dims[0] + dims[1] + dims[2]] are three tables, one
    behind the other. Run (i, j, k) is the dims[3] bytes of the input from the sum of the three tables' entries i, j and
    k, or `fill` where one of these is INT32_MIN.
    """,
    *u32("input", "output", "offsets"),
    *u32("dims", count=4),
    *i8("fill"),
    *u8("reserved", count=3),
)
STATE = kernel(
    "dimmer_state_s8",
    """
    A state, output int8[size], at the start of an inference: where the word at `guard` is not `magic`, nobody has set
    it since a reset, and it becomes `fill`, or what lies at `initial` in weights where from_weights is 1. The step of
    the last state has `last` 1 and sets the word. Guard and states lie where nothing else ever does.
    """,
    *u32("guard", "output", "size", "magic", "initial"),
    *i8("fill"),
    *u8("from_weights", "last", "reserved"),
)
RESIZE_BILINEAR = kernel(
    "dimmer_resize_bilinear_s8",
    """
    RESIZE_BILINEAR of int8[1,h,w,channels] to int8[1,output_h,output_w,channels]. blends int32[output_h + output_w,3]:
    for each row, then for each column, where the two that are mixed begin in the input, and the weight of the second of
    1024, -512..1536.
    """,
    *u32("input", "output", "blends"),
    *u16("output_h", "output_w"),
    *u32("channels"),
)

KERNELS = (
    CONV_2D,
    DEPTHWISE_CONV_2D,
    DEPTHWISE_CONV_2D_3X3,
    FULLY_CONNECTED,
    FULLY_CONNECTED_FIXED,
    ADD,
    SUB,
    MUL,
    SQUARED_DIFFERENCE,
    PRELU,
    MAXIMUM,
    MINIMUM,
    PAD,
    MEAN,
    REDUCE_EXTREME,
    L2_NORMALIZATION,
    BATCH_MATMUL,
    TRANSPOSE_CONV,
    AVERAGE_POOL_2D,
    MAX_POOL_2D,
    SOFTMAX,
    LUT,
    REQUANTIZE,
    REQUANTIZE_TABLE,
    QUANTIZE_F32,
    DEQUANTIZE_F32,
    COPY,
    TRANSPOSE,
    TAKE,
    STATE,
    RESIZE_BILINEAR,
)
