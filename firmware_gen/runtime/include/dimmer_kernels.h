/* Every kernel: its record, the ranges of its arguments, its scratch.
 *
 * Arithmetic is TFLite's reference (BUILTIN_REF), bit for bit: a multiplier is a Q0.31 in params,
 * its shift has TFLite's sign (positive = left), both as QuantizeMultiplier gives them.
 * Tensors are dense, row-major, int8 unless said otherwise, NHWC. Fields called
 * input/output/scratch are byte offsets into the arena, weights/table into the weights blob,
 * bias/multipliers indexes into params, shifts an index into shifts.
 * Input and output may share memory only where a kernel says "in place".
 * R4(x) is x rounded up to a multiple of 4. A kernel with no "Scratch" line needs none.
 */
#ifndef DIMMER_KERNELS_H
#define DIMMER_KERNELS_H

#include "dimmer_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DIMMER_KERNEL(name) void name(const dimmer_model_t *model, const void *record, uint8_t *arena)

/* CONV_2D. input int8[batches,input_h,input_w,input_c], weights int8[output_c,kernel_h,kernel_w,input_c]
 * (OHWI), output int8[batches,output_h,output_w,output_c]. bias int32[output_c] has the input's zero point
 * folded in: bias[o] - input_zero_point * sum(weights[o]) modulo 2^32. Rows and columns outside the input,
 * pad_top above and pad_left beside it and as many as it takes at the other ends, read as
 * input_zero_point. multipliers int32[output_c], shifts int8[output_c], each -31..30.
 * Every dimension, stride and dilation >= 1; kernel_h * kernel_w * input_c <= 65535.
 * weight_bits is 8, or 4 or 2: the kernel then computes with slices of the weights (slice.h), which it makes
 * for slice_channels channels at a time; 1 <= slice_channels <= output_c, even unless it is output_c.
 * Scratch: 2 * R4(kernel_h * kernel_w * input_c), or 0 where the kernel is 1x1, both pads are 0,
 * (output_h - 1) * stride_h < input_h and (output_w - 1) * stride_w < input_w; and behind it, where
 * weight_bits is not 8, slice_channels * kernel_h * kernel_w * input_c. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t scratch;
    uint32_t weights;
    uint32_t bias;
    uint32_t multipliers;
    uint32_t shifts;
    uint16_t batches;
    uint16_t input_h;
    uint16_t input_w;
    uint16_t input_c;
    uint16_t output_h;
    uint16_t output_w;
    uint16_t output_c;
    uint16_t kernel_h;
    uint16_t kernel_w;
    uint16_t stride_h;
    uint16_t stride_w;
    uint16_t dilation_h;
    uint16_t dilation_w;
    uint16_t pad_top;
    uint16_t pad_left;
    uint8_t weight_bits;
    uint8_t slice_channels;
    int8_t input_zero_point;
    int8_t output_zero_point;
    int8_t activation_min;
    int8_t activation_max;
} dimmer_conv2d_s8_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_s8_t, 64);
DIMMER_KERNEL(dimmer_conv2d_s8);

/* CONV_2D for Arm cores with the DSP extension: weights of `group` channels are widened to a panel of int16
 * in scratch, and then every two pixels; 16 products take 10 instructions. batches is 1, shifts are -22..-1,
 * and no |bias + part of the sum| reaches 2^30. group is even, or output_c. Scratch: with P = (group + 1) / 2
 * and G = kernel_h * R4(kernel_w * input_c) / 4, 4 * (P * (4 * G + 8) + 4 * G) + 4 * P + 2 * kernel_w *
 * input_c. */
typedef struct {
    dimmer_conv2d_s8_t conv;
    uint16_t group; /* output channels in one pass */
    uint16_t reserved2;
} dimmer_conv2d_s8_dsp_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_s8_dsp_t, sizeof(dimmer_conv2d_s8_t) + 4);
DIMMER_KERNEL(dimmer_conv2d_s8_dsp);

/* CONV_2D for cores that multiply word by word: operands are widened to int32 in scratch, the weights of
 * `group` channels at a time, the input of four pixels. Each shift is -22..-1, and the absolute value of a
 * sum, bias included, is below 2^30. Scratch: 16 * (output_c + group) + 4 * R4(kernel_h * kernel_w * input_c)
 * * (4 + group). */
typedef struct {
    dimmer_conv2d_s8_t conv;
    uint16_t group; /* 1..output_c */
    uint16_t reserved2;
} dimmer_conv2d_s8_panel_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_s8_panel_t, sizeof(dimmer_conv2d_s8_t) + 4);
DIMMER_KERNEL(dimmer_conv2d_s8_panel);

/* The same where words are multiplied to 64 bits: the inputs of two pixels share a word. No absolute value of
 * a sum without bias reaches 2^22. Scratch: 16 * (output_c + group) + 4 * R4(kernel_h * kernel_w * input_c) *
 * (2 + group). */
typedef dimmer_conv2d_s8_panel_t dimmer_conv2d_s8_pairs_t;
DIMMER_KERNEL(dimmer_conv2d_s8_pairs);

/* CONV_2D by Winograd's F(4x4,3x3), exact in integers: kernel 3x3, strides and dilations 1, input_c a
 * multiple of 4. Tiles of 4x4 outputs are computed four at a time; the inputs of 4 * strip of them and the
 * weights of `group` channels are transformed at a time. A single group is transformed once, several are for
 * every strip. Each shift is -22..-1; the absolute value of a sum is below 2^25 without bias, below 2^30 with
 * it. Scratch: 16 * output_c + max(576, 36 * input_c) + 144 * input_c * (4 * strip + group). */
typedef struct {
    dimmer_conv2d_s8_t conv;
    uint16_t group; /* 1..output_c */
    uint16_t strip; /* >= 1 */
} dimmer_conv2d_s8_winograd_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_s8_winograd_t, sizeof(dimmer_conv2d_s8_t) + 4);
DIMMER_KERNEL(dimmer_conv2d_s8_winograd);

/* CONV_2D for Arm cores with the DSP extension, Winograd's F(4,3): kernel_w is 3, stride_w and both dilations
 * are 1, input_c is a multiple of 4, output_c and group are even; no |part of the sum| reaches 2^28. The rest
 * as dimmer_conv2d_s8_dsp. Inputs of `strip` rows of outputs are transformed at a time. Scratch: with R =
 * (strip - 1) * stride_h + kernel_h and W = (output_w + 7) / 8, group / 2 * (24 * kernel_h * input_c + 32) +
 * 24 * W * R * input_c + 6 * input_c + 8 * group. */
typedef struct {
    dimmer_conv2d_s8_t conv;
    uint16_t group; /* output channels in one pass */
    uint16_t strip; /* rows of outputs */
} dimmer_conv2d_s8_f43_dsp_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_s8_f43_dsp_t, sizeof(dimmer_conv2d_s8_t) + 4);
DIMMER_KERNEL(dimmer_conv2d_s8_f43_dsp);

/* CONV_2D for Arm cores with Helium: two channels of four pixels at a time, weights of `group` channels in a
 * panel in scratch, sliced there where weight_bits is not 8. batches is 1, shifts are -31..0, up to 4 for
 * weight_bits of 4 or 2. group is even, or output_c. columns is 1 or 0; 1 is for kernels of 3x3,
 * stride_w of 1 or 2, dilations of 1 and input_c a multiple of 16. Where the kernel is not 1x1 without
 * padding, and kernel_w * input_c < 16 or dilation_w is not 1, kernel_h * W * input_c < 65536 with W =
 * max((output_w - 1) * stride_w + (kernel_w - 1) * dilation_w
 * + 1, pad_left + input_w). output_c < 21845. With R16(x), x rounded up to a multiple of 16, and D =
 * R16(kernel_h * kernel_w * input_c):
 * Scratch: (group + 1) / 2 * (2 * D + 64), and behind it, for columns, R16(12 * S) + 64 * S *
 * max((R4(output_w) - 1) * stride_w + 3, pad_left + input_w) with S = input_c / 16; otherwise, for a kernel
 * of 1x1 without padding, 4 * D, or 0 where input_c is a multiple of 16; otherwise 4 * D (twice that where D
 * <= 64, four times where D <= 32) + R16(kernel_h * W * input_c) + (R16(2 * kernel_h * kernel_w * input_c)
 * where kernel_w * input_c < 16 or dilation_w is not 1). */
typedef struct {
    dimmer_conv2d_s8_t conv;
    uint16_t group;   /* output channels in one pass */
    uint16_t columns; /* whether windows share what they read of a row */
} dimmer_conv2d_s8_mve_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_s8_mve_t, sizeof(dimmer_conv2d_s8_t) + 4);
DIMMER_KERNEL(dimmer_conv2d_s8_mve);

/* dimmer_conv2d_s8_mve of inputs that go through a QUANTIZE first: from entry_zero_point to input_zero_point,
 * entry_multiplier and entry_shift, which is -31..0, as in dimmer_requantize_s8. Scratch: 256 more, and a
 * kernel of 1x1 without padding takes as much as any other. */
typedef struct {
    dimmer_conv2d_s8_t conv;
    int32_t entry_multiplier;
    uint16_t group;
    uint16_t columns;
    int8_t entry_zero_point;
    int8_t entry_shift;
    uint16_t reserved2;
} dimmer_conv2d_s8_entry_mve_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_s8_entry_mve_t, sizeof(dimmer_conv2d_s8_t) + 12);
DIMMER_KERNEL(dimmer_conv2d_s8_entry_mve);

/* CONV_2D of narrow inputs with narrow weights for Arm cores with the DSP extension (narrow.h): weight_bits
 * is 4 or 2, input_zero_point is -128, and no input is above -113 (4 bits) or -125 (2 bits). bias has no zero
 * point folded in: inputs count from 0 here. batches and both dilations are 1, kernel_w <= 3, stride_w <= 2,
 * pad_left < kernel_w, input_c is a multiple of 4, output_c, group and strip are even.
 * entry_multiplier is 0, or the inputs go through a QUANTIZE first: from entry_zero_point to -128,
 * entry_multiplier and entry_shift as in dimmer_requantize_s8; what is said of inputs holds behind it.
 * A word holds Q = 3 inputs (4 bits) or 4, S = 13 bits apart or 10. A row of inputs has P = min(kernel_w,
 * stride_w) phases: phase p has taps p, p + stride_w, ..., N(p) of them, begins at B(p) =
 * min(ceil(max(pad_left
 * - p, 0) / stride_w), N(p) - 1) and ends at E(p) = min((input_w - 1 + pad_left - p) / stride_w + 1, output_w
 * + N(p) - 1). X is the largest N(p) - 1 - B(p), K = kernel_h * P * input_c. `terms` divides K and has a
 * multiple of 4 in common with input_c: as many are added up before a sum is read. offsets is an index into
 * shifts: of a uint8 for each channel, in units of 2^(S - 8); it is at least what the negative products of
 * `terms` terms add up to, and with what the positive ones add up to it is below 2^S. Both are below 2^(63 -
 * Q * S - S) - 1 for those products alone whose tap has B(p) + X - 2 others before it in its phase. shifts
 * are -22..12, and (|bias| + 2^S * K / terms) * 2^max(shift, 0) is below 2^30. Scratch: with T the largest
 * ceil((E(p) - B(p)) / Q), at least 1, A = ceil((output_w + X) / Q), C = K / terms and R = (strip / 2 - 1) *
 * stride_h + kernel_h: 32 * C + group / 2 * (16 * C + 8 * K + 48) + 8 * T * R * P * input_c + 2 * input_c + 2
 * * A * Q * group, and 256 more where there is a QUANTIZE. */
typedef struct {
    dimmer_conv2d_s8_t conv;
    uint32_t offsets;
    int32_t entry_multiplier;
    uint16_t group; /* output channels in one pass */
    uint16_t strip; /* rows of outputs */
    uint16_t terms;
    int8_t entry_zero_point;
    int8_t entry_shift;
} dimmer_conv2d_s8_narrow_dsp_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_s8_narrow_dsp_t, sizeof(dimmer_conv2d_s8_t) + 16);
DIMMER_KERNEL(dimmer_conv2d_s8_narrow_dsp);

/* DEPTHWISE_CONV_2D. As dimmer_conv2d_s8_t, but weights int8[1,kernel_h,kernel_w,output_c], and
 * output_c = input_c * depth_multiplier: output channel o reads input channel o / depth_multiplier. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t weights;
    uint32_t bias;
    uint32_t multipliers;
    uint32_t shifts;
    uint16_t batches;
    uint16_t input_h;
    uint16_t input_w;
    uint16_t input_c;
    uint16_t output_h;
    uint16_t output_w;
    uint16_t depth_multiplier;
    uint16_t kernel_h;
    uint16_t kernel_w;
    uint16_t stride_h;
    uint16_t stride_w;
    uint16_t dilation_h;
    uint16_t dilation_w;
    uint16_t pad_top;
    uint16_t pad_left;
    uint16_t reserved;
    int8_t input_zero_point;
    int8_t output_zero_point;
    int8_t activation_min;
    int8_t activation_max;
} dimmer_depthwise_conv2d_s8_t;
DIMMER_CHECK_SIZE(dimmer_depthwise_conv2d_s8_t, 60);
DIMMER_KERNEL(dimmer_depthwise_conv2d_s8);

/* DEPTHWISE_CONV_2D with a kernel of 3x3, dilations and depth_multiplier 1: weights are widened once, and
 * three padded rows of the input are held. Each shift is -22..-1, and the absolute value of a sum, bias
 * included, is below 2^30. Scratch: input_c * (52 + 3 * max((output_w - 1) * stride_w + 3, pad_left +
 * input_w)). */
typedef struct {
    dimmer_depthwise_conv2d_s8_t conv;
    uint32_t scratch;
} dimmer_depthwise_conv2d_s8_3x3_t;
DIMMER_CHECK_SIZE(dimmer_depthwise_conv2d_s8_3x3_t, sizeof(dimmer_depthwise_conv2d_s8_t) + 4);
DIMMER_KERNEL(dimmer_depthwise_conv2d_s8_3x3);

/* DEPTHWISE_CONV_2D for Arm cores with the DSP extension: four channels in a word. batches and
 * depth_multiplier are 1, input_c is a multiple of 4, shifts are -22..-1, and no |bias + part of the sum|
 * reaches 2^30. Scratch: with T = kernel_h * kernel_w, rounded up to a multiple of 9, input_c * (2 * T + 17)
 * + 4 * T. */
typedef struct {
    dimmer_depthwise_conv2d_s8_t conv;
    uint32_t scratch;
} dimmer_depthwise_conv2d_s8_dsp_t;
DIMMER_CHECK_SIZE(dimmer_depthwise_conv2d_s8_dsp_t, sizeof(dimmer_depthwise_conv2d_s8_t) + 4);
DIMMER_KERNEL(dimmer_depthwise_conv2d_s8_dsp);

/* DEPTHWISE_CONV_2D for Arm cores with Helium: a window is one vector. batches and depth_multiplier are 1,
 * kernel_h and kernel_w at most 4, shifts -31..-1. Windows of a turn are neighbours in a row of the image, or
 * in a column where `down` is 1; `group` channels are laid out in scratch at a time, a multiple of 16, or
 * input_c. 3 * A + B < 65536, A bytes from one of these neighbours to the next, B from a row of them to the
 * next. Scratch: with G, group rounded up to a multiple of 16, 16 + G * (12 + V + 4 * W), where V = 40 for
 * strides and dilations of 1 and kernel_h and kernel_w of at most 3, otherwise 16, and W, along these
 * neighbours, = max((R4(outputs) - 1) * stride + 3 * dilation + 1, pad + inputs). */
typedef struct {
    dimmer_depthwise_conv2d_s8_t conv;
    uint32_t scratch;
    uint16_t group;
    uint16_t down;
} dimmer_depthwise_conv2d_s8_mve_t;
DIMMER_CHECK_SIZE(dimmer_depthwise_conv2d_s8_mve_t, sizeof(dimmer_depthwise_conv2d_s8_t) + 8);
DIMMER_KERNEL(dimmer_depthwise_conv2d_s8_mve);

/* FULLY_CONNECTED. input int8[rows,input_c], weights int8[output_c,input_c], output int8[rows,output_c],
 * bias int32[output_c] with the input's zero point folded in as in CONV_2D (all rows of a model without
 * bias: the folded part alone). scales: index into params of IEEE doubles, low word first,
 * input_scale * weights_scale / output_scale each: TFLite's reference rescales here, and here alone, in
 * double. per_channel 1: output_c of them, 0: one. |sum * scale| < 2^30. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t weights;
    uint32_t bias;
    uint32_t scales;
    uint32_t rows;
    uint32_t input_c;
    uint32_t output_c;
    int8_t output_zero_point;
    int8_t activation_min;
    int8_t activation_max;
    uint8_t per_channel;
} dimmer_fully_connected_s8_t;
DIMMER_CHECK_SIZE(dimmer_fully_connected_s8_t, 36);
DIMMER_KERNEL(dimmer_fully_connected_s8);

/* FULLY_CONNECTED that rescales in fixed point, where the generator has proven for every sum that is possible
 * that it gives the same. scales: index into params of multiplier, start and shift of dimmer_rescale_fixed.
 */
typedef dimmer_fully_connected_s8_t dimmer_fully_connected_s8_fixed_t;
DIMMER_KERNEL(dimmer_fully_connected_s8_fixed);

/* The same for Arm cores with the DSP extension: a row of the input is widened to int16. Each two channels'
 * weights share halfwords, int16[(output_c + 1) / 2,R8(input_c)] little-endian: 256 * (those of the first
 * channel) + (those of the second, or 0), inputs 0, 2, 1, 3 of every four in this order, 0 behind the last.
 * For either channel, 256 * sum of products stays below 2^31 - 2^24. input_c and weights are multiples of 4.
 * Scratch: 2 * R8(input_c). */
typedef struct {
    dimmer_fully_connected_s8_t dense;
    uint32_t scratch;
} dimmer_fully_connected_s8_dsp_t;
DIMMER_CHECK_SIZE(dimmer_fully_connected_s8_dsp_t, sizeof(dimmer_fully_connected_s8_t) + 4);
DIMMER_KERNEL(dimmer_fully_connected_s8_dsp);

/* The same for cores that multiply word by word: a row of the input is widened to int32. Scratch: 4 *
 * input_c. */
typedef dimmer_fully_connected_s8_dsp_t dimmer_fully_connected_s8_words_t;
DIMMER_KERNEL(dimmer_fully_connected_s8_words);

/* FULLY_CONNECTED for Arm cores with Helium. */
typedef dimmer_fully_connected_s8_t dimmer_fully_connected_s8_mve_t;
DIMMER_KERNEL(dimmer_fully_connected_s8_mve);

/* In which blob an operand of an elementwise kernel lies. */
enum { DIMMER_IN_ARENA = 0, DIMMER_IN_WEIGHTS = 1 };

/* ADD and SUB. output has the dimensions dims[4]; bit i of broadcast1 (broadcast2) says that dimension i of
 * that input is 1 and is repeated. Where both inputs have the output's shape use dims = {1, 1, 1, elements}:
 * fewer and longer runs are faster. Each input lies in the arena or in weights (input1_blob, input2_blob).
 * left_shift is 20 in TFLite; shift1, shift2, shift_output are -31..0.
 * In place: output may be an arena input that is not broadcast. */
typedef struct {
    uint32_t input1;
    uint32_t input2;
    uint32_t output;
    uint32_t dims[4];
    int32_t multiplier1;
    int32_t multiplier2;
    int32_t multiplier_output;
    int8_t shift1;
    int8_t shift2;
    int8_t shift_output;
    int8_t left_shift;
    int8_t zero_point1;
    int8_t zero_point2;
    int8_t output_zero_point;
    int8_t activation_min;
    int8_t activation_max;
    uint8_t broadcast1;
    uint8_t broadcast2;
    uint8_t input1_blob;
    uint8_t input2_blob;
    uint8_t reserved[3];
} dimmer_add_s8_t;
DIMMER_CHECK_SIZE(dimmer_add_s8_t, 56);
DIMMER_KERNEL(dimmer_add_s8);

/* ADD for Arm cores with the DSP extension: both inputs in the arena, with the output's shape, dims {1, 1, 1,
 * n}; shift_output is -22..-1. In place as ADD. Scratch: 2048. */
typedef struct {
    dimmer_add_s8_t add;
    uint32_t scratch;
} dimmer_add_s8_dsp_t;
DIMMER_CHECK_SIZE(dimmer_add_s8_dsp_t, sizeof(dimmer_add_s8_t) + 4);
DIMMER_KERNEL(dimmer_add_s8_dsp);

/* CONV_2D whose result is an operand of an ADD and is not needed otherwise, as dimmer_conv2d_s8_dsp and
 * dimmer_add_s8_dsp: conv.output is that of add, the convolution's
 * place among the inputs of add is not read.
 * In place: add.output may be the other input of add, if that is not the convolution's. Scratch: 2048 more
 * than dimmer_conv2d_s8_dsp. */
typedef struct {
    dimmer_conv2d_s8_t conv;
    dimmer_add_s8_t add;
    uint16_t operand; /* 1 or 2: which input of add the convolution is */
    uint16_t group;
} dimmer_conv2d_add_s8_dsp_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_add_s8_dsp_t, sizeof(dimmer_conv2d_s8_t) + sizeof(dimmer_add_s8_t) + 4);
DIMMER_KERNEL(dimmer_conv2d_add_s8_dsp);

/* The same for dimmer_conv2d_s8_f43_dsp. Scratch: 2048 more than that. */
typedef struct {
    dimmer_conv2d_s8_t conv;
    dimmer_add_s8_t add;
    uint16_t operand; /* as above */
    uint16_t group;
    uint16_t strip;
    uint16_t reserved2;
} dimmer_conv2d_add_s8_f43_dsp_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_add_s8_f43_dsp_t, sizeof(dimmer_conv2d_s8_t) + sizeof(dimmer_add_s8_t) + 8);
DIMMER_KERNEL(dimmer_conv2d_add_s8_f43_dsp);

/* ADD for Arm cores with Helium: both inputs in the arena, with the output's shape, dims {1, 1, 1, n}; one of
 * them has a multiplier of 2^30 and a shift of 0, as in TFLite the one with the larger scale always has.
 * left_shift is 20, shift_output is -31..-1. In place as ADD. Scratch: 1024. */
typedef struct {
    dimmer_add_s8_t add;
    uint32_t scratch;
} dimmer_add_s8_mve_t;
DIMMER_CHECK_SIZE(dimmer_add_s8_mve_t, sizeof(dimmer_add_s8_t) + 4);
DIMMER_KERNEL(dimmer_add_s8_mve);

/* CONV_2D whose result is an operand of an ADD and is not needed otherwise, as dimmer_conv2d_s8_mve and
 * dimmer_add_s8_mve; fields and in place as in dimmer_conv2d_add_s8_dsp.
 * Scratch: 1024 + R16(16 * group) more than dimmer_conv2d_s8_mve. */
typedef struct {
    dimmer_conv2d_s8_t conv;
    dimmer_add_s8_t add;
    uint16_t operand;
    uint16_t group;
    uint16_t columns;
    uint16_t reserved2;
} dimmer_conv2d_add_s8_mve_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_add_s8_mve_t, sizeof(dimmer_conv2d_s8_t) + sizeof(dimmer_add_s8_t) + 8);
DIMMER_KERNEL(dimmer_conv2d_add_s8_mve);

/* The same with a QUANTIZE before it, as dimmer_conv2d_s8_entry_mve. Scratch: 1024 + R16(16 * group) more
 * than that. */
typedef struct {
    dimmer_conv2d_s8_t conv;
    dimmer_add_s8_t add;
    int32_t entry_multiplier;
    uint16_t operand;
    uint16_t group;
    uint16_t columns;
    int8_t entry_zero_point;
    int8_t entry_shift;
} dimmer_conv2d_add_s8_entry_mve_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_add_s8_entry_mve_t,
                  sizeof(dimmer_conv2d_s8_t) + sizeof(dimmer_add_s8_t) + 12);
DIMMER_KERNEL(dimmer_conv2d_add_s8_entry_mve);

/* As dimmer_conv2d_add_s8_dsp, for dimmer_conv2d_s8_narrow_dsp. Scratch: 2048 more than that. */
typedef struct {
    dimmer_conv2d_s8_t conv;
    dimmer_add_s8_t add;
    uint32_t offsets;
    int32_t entry_multiplier;
    uint16_t operand;
    uint16_t group;
    uint16_t strip;
    uint16_t terms;
    int8_t entry_zero_point;
    int8_t entry_shift;
    uint16_t reserved2;
} dimmer_conv2d_add_s8_narrow_dsp_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_add_s8_narrow_dsp_t,
                  sizeof(dimmer_conv2d_s8_t) + sizeof(dimmer_add_s8_t) + 20);
DIMMER_KERNEL(dimmer_conv2d_add_s8_narrow_dsp);

typedef dimmer_add_s8_t dimmer_sub_s8_t; /* output = input1 - input2 */
DIMMER_KERNEL(dimmer_sub_s8);

/* ADD of two inputs in the arena that have the output's shape, by a table of what each of an input's 256
 * values adds. shift_output is -22..-1. In place: output may be either input. Scratch: 2048. */
typedef struct {
    dimmer_add_s8_t add;
    uint32_t scratch;
} dimmer_add_s8_table_t;
DIMMER_CHECK_SIZE(dimmer_add_s8_table_t, sizeof(dimmer_add_s8_t) + 4);
DIMMER_KERNEL(dimmer_add_s8_table);

/* CONV_2D whose result is an operand of an ADD and is not needed otherwise, as dimmer_conv2d_s8_winograd and
 * dimmer_add_s8_table; fields and in place as in dimmer_conv2d_add_s8_dsp.
 * Scratch: 2048 + 64 * strip * output_c more than dimmer_conv2d_s8_winograd. */
typedef struct {
    dimmer_conv2d_s8_t conv;
    dimmer_add_s8_t add;
    uint16_t operand;
    uint16_t group;
    uint16_t strip;
    uint16_t reserved2;
} dimmer_conv2d_add_s8_winograd_t;
DIMMER_CHECK_SIZE(dimmer_conv2d_add_s8_winograd_t, sizeof(dimmer_conv2d_s8_t) + sizeof(dimmer_add_s8_t) + 8);
DIMMER_KERNEL(dimmer_conv2d_add_s8_winograd);

/* MUL. Dimensions, broadcasting, blobs and in place as in ADD; shift is -31..30. */
typedef struct {
    uint32_t input1;
    uint32_t input2;
    uint32_t output;
    uint32_t dims[4];
    int32_t multiplier;
    int8_t shift;
    int8_t zero_point1;
    int8_t zero_point2;
    int8_t output_zero_point;
    int8_t activation_min;
    int8_t activation_max;
    uint8_t broadcast1;
    uint8_t broadcast2;
    uint8_t input1_blob;
    uint8_t input2_blob;
    uint8_t reserved[2];
} dimmer_mul_s8_t;
DIMMER_CHECK_SIZE(dimmer_mul_s8_t, 44);
DIMMER_KERNEL(dimmer_mul_s8);

/* PAD and PADV2, 4-D (shorter shapes get leading ones). dims are the input's. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t dims[4];
    uint16_t before[4];
    uint16_t after[4];
    int8_t value;
    uint8_t reserved[3];
} dimmer_pad_s8_t;
DIMMER_CHECK_SIZE(dimmer_pad_s8_t, 44);
DIMMER_KERNEL(dimmer_pad_s8);

/* MEAN. input int8[outer,reduce1,inner,reduce2], mean over both reduced dimensions, output int8[outer,inner].
 * NHWC over H and W: outer = N, reduce1 = H * W, inner = C, reduce2 = 1.
 * With n = reduce1 * reduce2 < 2^23, (m, s) = QuantizeMultiplier(input_scale / output_scale) and
 * k = min(63 - clz64(n), 32, 31 + s): multiplier = (m << k) / n, shift = s - k, as TFLite does. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t outer;
    uint32_t reduce1;
    uint32_t inner;
    uint32_t reduce2;
    int32_t multiplier;
    int8_t shift;
    int8_t input_zero_point;
    int8_t output_zero_point;
    uint8_t reserved;
} dimmer_mean_s8_t;
DIMMER_CHECK_SIZE(dimmer_mean_s8_t, 32);
DIMMER_KERNEL(dimmer_mean_s8);

/* MEAN for Arm cores with Helium: reduce2 is 1. */
typedef dimmer_mean_s8_t dimmer_mean_s8_mve_t;
DIMMER_KERNEL(dimmer_mean_s8_mve);

/* AVERAGE_POOL_2D and MAX_POOL_2D. input int8[batches,input_h,input_w,channels]; the padding does not count.
 * Input and output have one scale and zero point. Each window holds at least one element. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint16_t batches;
    uint16_t input_h;
    uint16_t input_w;
    uint16_t channels;
    uint16_t output_h;
    uint16_t output_w;
    uint16_t window_h;
    uint16_t window_w;
    uint16_t stride_h;
    uint16_t stride_w;
    uint16_t pad_top;
    uint16_t pad_left;
    int8_t activation_min;
    int8_t activation_max;
    uint8_t reserved[2];
} dimmer_pool_2d_s8_t;
DIMMER_CHECK_SIZE(dimmer_pool_2d_s8_t, 36);
typedef dimmer_pool_2d_s8_t dimmer_average_pool_2d_s8_t;
typedef dimmer_pool_2d_s8_t dimmer_max_pool_2d_s8_t;
DIMMER_KERNEL(dimmer_average_pool_2d_s8);
DIMMER_KERNEL(dimmer_max_pool_2d_s8);

/* AVERAGE_POOL_2D for Arm cores with Helium: window_h * window_w <= 256. */
typedef dimmer_pool_2d_s8_t dimmer_average_pool_2d_s8_mve_t;
DIMMER_KERNEL(dimmer_average_pool_2d_s8_mve);

/* SOFTMAX over the last dimension: int8[rows,depth] to int8[rows,depth] with scale 1/256, zero point -128.
 * multiplier, left_shift (0..31) = PreprocessSoftmaxScaling(beta, input_scale, 5);
 * diff_min = -CalculateInputRadius(5, left_shift, 31). depth <= 4096. In place: output may be input. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t rows;
    uint32_t depth;
    int32_t multiplier;
    int32_t diff_min;
    int8_t left_shift;
    uint8_t reserved[3];
} dimmer_softmax_s8_t;
DIMMER_CHECK_SIZE(dimmer_softmax_s8_t, 28);
DIMMER_KERNEL(dimmer_softmax_s8);

/* Any function of one int8: output[i] = table[input[i] + 128], table int8[256] in weights. In place.
 * LOGISTIC, which TFLite's reference looks up as well: the generator computes the table. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t elements;
    uint32_t table;
} dimmer_lut_s8_t;
DIMMER_CHECK_SIZE(dimmer_lut_s8_t, 16);
DIMMER_KERNEL(dimmer_lut_s8);

/* QUANTIZE between int8 and uint8 in any combination, RELU, RELU6, RELU_N1_TO_1 of int8:
 * output = clamp(output_zero_point + rescale(input - input_zero_point), activation_min, activation_max),
 * multiplier, shift = QuantizeMultiplier(input_scale / output_scale). In place.
 * input_unsigned / output_unsigned 1: that side is uint8, its zero point and the limits are 0..255. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t elements;
    int32_t multiplier;
    int16_t input_zero_point;
    int16_t output_zero_point;
    int16_t activation_min;
    int16_t activation_max;
    int8_t shift;
    uint8_t input_unsigned;
    uint8_t output_unsigned;
    uint8_t reserved;
} dimmer_requantize_s8_t;
DIMMER_CHECK_SIZE(dimmer_requantize_s8_t, 28);
DIMMER_KERNEL(dimmer_requantize_s8);

/* The same by a table of all 256 codes. In place. Scratch: 256. */
typedef struct {
    dimmer_requantize_s8_t requantize;
    uint32_t scratch;
} dimmer_requantize_s8_table_t;
DIMMER_CHECK_SIZE(dimmer_requantize_s8_table_t, sizeof(dimmer_requantize_s8_t) + 4);
DIMMER_KERNEL(dimmer_requantize_s8_table);

/* QUANTIZE float32[elements] -> int8[elements]. scale > 0. The input is aligned to 4. In place. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t elements;
    float scale;
    int8_t zero_point;
    uint8_t reserved[3];
} dimmer_quantize_f32_s8_t;
DIMMER_CHECK_SIZE(dimmer_quantize_f32_s8_t, 20);
DIMMER_KERNEL(dimmer_quantize_f32_s8);

/* DEQUANTIZE int8[elements] -> float32[elements]. The output is aligned to 4. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t elements;
    float scale;
    int8_t zero_point;
    uint8_t reserved[3];
} dimmer_dequantize_s8_f32_t;
DIMMER_CHECK_SIZE(dimmer_dequantize_s8_f32_t, 20);
DIMMER_KERNEL(dimmer_dequantize_s8_f32);

/* Copies `rows` runs of row_bytes: run i from input + i * input_stride to output + i * output_stride.
 * CONCATENATION: one step for each input. SPLIT, SLICE of one dimension: one step for each output.
 * RESHAPE that is not aliased: one row. input_blob as in ADD. Input and output do not overlap. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t rows;
    uint32_t row_bytes;
    uint32_t input_stride;
    uint32_t output_stride;
    uint8_t input_blob;
    uint8_t reserved[3];
} dimmer_copy_s8_t;
DIMMER_CHECK_SIZE(dimmer_copy_s8_t, 28);
DIMMER_KERNEL(dimmer_copy_s8);

/* TRANSPOSE of bytes, up to 4-D (shorter shapes get leading ones): output dense with dims[4], strides[i] is
 * the step in the input, in elements, of output dimension i. Also STRIDED_SLICE with positive strides. */
typedef struct {
    uint32_t input;
    uint32_t output;
    uint32_t dims[4];
    uint32_t strides[4];
} dimmer_transpose_s8_t;
DIMMER_CHECK_SIZE(dimmer_transpose_s8_t, 40);
DIMMER_KERNEL(dimmer_transpose_s8);

#ifdef __cplusplus
}
#endif

#endif
