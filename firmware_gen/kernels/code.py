# SPDX-License-Identifier: Apache-2.0
"""How much flash the library's code takes, before anything is compiled.

Bytes of code and constants of each kernel with all that it calls, and of the engine, linked alone for Cortex-M4 (those
of Helium for Cortex-M55) by arm-none-eabi-gcc 12 at -O2. What kernels share is counted once for `conv2d` and
`conv2d_add`, which are one function, and for `narrow` and `apart`, which differ in how weights are expanded. Other
cores and compilers differ by a tenth or so: figures made of these are "about".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

ENGINE = 2000
"""dimmer_init, dimmer_invoke, the checks, the policy."""

GATES = 900

KERNELS: Mapping[str, int] = {
    "dimmer_conv2d_s8": 1960,
    "dimmer_depthwise_conv2d_s8": 1816,
    "dimmer_depthwise_conv2d_s8_3x3": 1608,
    "dimmer_fully_connected_s8": 1024,
    "dimmer_fully_connected_s8_fixed": 888,
    "dimmer_add_s8": 752,
    "dimmer_sub_s8": 752,
    "dimmer_mul_s8": 516,
    "dimmer_pad_s8": 296,
    "dimmer_mean_s8": 292,
    "dimmer_average_pool_2d_s8": 392,
    "dimmer_max_pool_2d_s8": 348,
    "dimmer_softmax_s8": 1128,
    "dimmer_lut_s8": 56,
    "dimmer_requantize_s8": 168,
    "dimmer_requantize_s8_table": 280,
    "dimmer_quantize_f32_s8": 192,
    "dimmer_dequantize_s8_f32": 60,
    "dimmer_copy_s8": 64,
    "dimmer_transpose_s8": 140,
    "dimmer_reduce_extreme_s8": 176,
    "dimmer_batch_matmul_s8": 516,
    "dimmer_transpose_conv_s8": 604,
    "dimmer_l2_normalization_s8": 1156,
    "dimmer_prelu_s8": 480,
    "dimmer_squared_difference_s8": 544,
    "dimmer_maximum_s8": 296,
    "dimmer_minimum_s8": 296,
    "dimmer_state_s8": 64,
    "dimmer_take_s8": 248,
    "dimmer_resize_bilinear_s8": 256,
    "dimmer_lstm_s8": 2062,
    "dimmer_conv2d_s8_offset": 560,
    "dimmer_depthwise_conv2d_s8_offset": 644,
    "dimmer_fully_connected_s8_offset": 480,
    "dimmer_average_pool_2d_s8_up": 352,
    "dimmer_svdf_s8": 1004,
    "dimmer_compare_s8": 472,
    "dimmer_select_s8": 420,
    "dimmer_arg_extreme_s8": 200,
    "dimmer_cast_s8": 152,
    "dimmer_cast_f32": 100,
    "dimmer_gather_s8": 120,
    "dimmer_add_s16": 640,
    "dimmer_average_pool_2d_s16": 400,
    "dimmer_conv2d_s16": 728,
    "dimmer_depthwise_conv2d_s16": 688,
    "dimmer_dequantize_s16_f32": 44,
    "dimmer_fully_connected_s16": 504,
    "dimmer_max_pool_2d_s16": 364,
    "dimmer_mean_s16": 304,
    "dimmer_mul_s16": 448,
    "dimmer_quantize_f32_s16": 192,
    "dimmer_requantize_s16": 168,
    "dimmer_sigmoid_s16": 320,
    "dimmer_softmax_s16": 592,
    "dimmer_conv2d_s8_panel": 2128,
    "dimmer_conv2d_s8_panel_sliced": 2264,
    "dimmer_conv2d_s8_pairs": 2968,
    "dimmer_conv2d_s8_winograd": 4476,
    "dimmer_conv2d_s8_winograd_sliced": 4636,
    "dimmer_depthwise_conv2d_s8_words": 1604,
    "dimmer_fully_connected_s8_words": 724,
    "dimmer_add_s8_table": 676,
    "dimmer_sum_s8_table": 1188,
    "dimmer_conv2d_add_s8_winograd": 4488,
    "dimmer_conv2d_add_s8_winograd_sliced": 4648,
    "dimmer_conv2d_s8_packed": 6720,
    "dimmer_conv2d_add_s8_packed": 6728,
    "dimmer_conv2d_s8_dsp": 2972,
    "dimmer_conv2d_s8_sliced_dsp": 3952,
    "dimmer_conv2d_s8_paired_dsp": 4648,
    "dimmer_conv2d_s8_f43_dsp": 4396,
    "dimmer_conv2d_s8_f43_sliced_dsp": 5004,
    "dimmer_conv2d_s8_narrow_dsp": 14048,
    "dimmer_conv2d_s8_apart_dsp": 14048,
    "dimmer_depthwise_conv2d_s8_dsp": 1540,
    "dimmer_depthwise_conv2d_s8_3x3_dsp": 2460,
    "dimmer_fully_connected_s8_dsp": 736,
    "dimmer_add_s8_dsp": 604,
    "dimmer_batch_matmul_s8_dsp": 1532,
    "dimmer_conv2d_add_s8_dsp": 2976,
    "dimmer_conv2d_add_s8_sliced_dsp": 3956,
    "dimmer_conv2d_add_s8_paired_dsp": 4652,
    "dimmer_conv2d_add_s8_f43_dsp": 4400,
    "dimmer_conv2d_add_s8_f43_sliced_dsp": 5008,
    "dimmer_conv2d_add_s8_narrow_dsp": 14052,
    "dimmer_conv2d_add_s8_apart_dsp": 14052,
    "dimmer_conv2d_s8_mve": 13392,
    "dimmer_conv2d_s8_entry_mve": 13624,
    "dimmer_depthwise_conv2d_s8_mve": 3252,
    "dimmer_fully_connected_s8_mve": 556,
    "dimmer_add_s8_mve": 664,
    "dimmer_conv2d_add_s8_mve": 13400,
    "dimmer_conv2d_add_s8_entry_mve": 13624,
    "dimmer_mean_s8_mve": 220,
    "dimmer_average_pool_2d_s8_mve": 532,
    "dimmer_batch_matmul_s8_mve": 1448,
}


def code_bytes(kernels: Iterable[str], gates: bool = False) -> int:
    """About how many bytes the engine takes with these kernels.

    Example:
        >>> code_bytes(["dimmer_copy_s8", "dimmer_lut_s8"]) - ENGINE
        120
    """
    units = {name.replace("conv2d_add_s8", "conv2d_s8").replace("apart", "narrow"): name for name in kernels}
    return ENGINE + (GATES if gates else 0) + sum(KERNELS[name] for name in units.values())
