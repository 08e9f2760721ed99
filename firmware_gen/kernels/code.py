# SPDX-License-Identifier: Apache-2.0
"""How much flash the library's code takes, before anything is compiled.

Bytes of code and constants of each kernel with all that it calls, and of the engine, linked alone for Cortex-M4 (those
of Helium for Cortex-M55) by arm-none-eabi-gcc 12 at -O2; memcpy and memset are the engine's. What kernels share is
counted once for `conv2d` and `conv2d_add`, which are one function, and for `narrow` and `apart`, which differ in how
weights are expanded. Other cores and compilers differ by a tenth or so: figures made of these are "about".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

ENGINE = 2000
"""dimmer_init, dimmer_invoke, the checks, the policy."""

GATES = 900

KERNELS: Mapping[str, int] = {
    "dimmer_conv2d_s8": 1934,
    "dimmer_depthwise_conv2d_s8": 1816,
    "dimmer_depthwise_conv2d_s8_3x3": 1666,
    "dimmer_fully_connected_s8": 1024,
    "dimmer_fully_connected_s8_fixed": 888,
    "dimmer_add_s8": 752,
    "dimmer_sub_s8": 752,
    "dimmer_mul_s8": 516,
    "dimmer_pad_s8": 298,
    "dimmer_mean_s8": 292,
    "dimmer_average_pool_2d_s8": 392,
    "dimmer_max_pool_2d_s8": 348,
    "dimmer_softmax_s8": 800,
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
    "dimmer_prelu_s8": 482,
    "dimmer_squared_difference_s8": 546,
    "dimmer_maximum_s8": 298,
    "dimmer_minimum_s8": 298,
    "dimmer_state_s8": 66,
    "dimmer_take_s8": 250,
    "dimmer_resize_bilinear_s8": 260,
    "dimmer_lstm_s8": 1740,
    "dimmer_conv2d_s8_offset": 544,
    "dimmer_depthwise_conv2d_s8_offset": 628,
    "dimmer_fully_connected_s8_offset": 480,
    "dimmer_average_pool_2d_s8_up": 352,
    "dimmer_svdf_s8": 1008,
    "dimmer_compare_s8": 474,
    "dimmer_select_s8": 422,
    "dimmer_arg_extreme_s8": 200,
    "dimmer_cast_s8": 152,
    "dimmer_cast_f32": 112,
    "dimmer_gather_s8": 120,
    "dimmer_add_s16": 640,
    "dimmer_average_pool_2d_s16": 400,
    "dimmer_conv2d_s16": 724,
    "dimmer_depthwise_conv2d_s16": 684,
    "dimmer_dequantize_s16_f32": 56,
    "dimmer_fully_connected_s16": 504,
    "dimmer_max_pool_2d_s16": 364,
    "dimmer_mean_s16": 304,
    "dimmer_mul_s16": 448,
    "dimmer_quantize_f32_s16": 184,
    "dimmer_requantize_s16": 168,
    "dimmer_sigmoid_s16": 320,
    "dimmer_softmax_s16": 592,
    "dimmer_conv2d_s8_panel": 1962,
    "dimmer_conv2d_s8_panel_sliced": 2078,
    "dimmer_conv2d_s8_pairs": 3014,
    "dimmer_conv2d_s8_winograd": 4314,
    "dimmer_conv2d_s8_winograd_sliced": 4478,
    "dimmer_depthwise_conv2d_s8_words": 1086,
    "dimmer_fully_connected_s8_words": 724,
    "dimmer_add_s8_table": 680,
    "dimmer_sum_s8_table": 1194,
    "dimmer_conv2d_add_s8_winograd": 4326,
    "dimmer_conv2d_add_s8_winograd_sliced": 4490,
    "dimmer_conv2d_s8_packed": 7050,
    "dimmer_conv2d_add_s8_packed": 7054,
    "dimmer_conv2d_s8_dsp": 2970,
    "dimmer_conv2d_s8_sliced_dsp": 3486,
    "dimmer_conv2d_s8_paired_dsp": 4442,
    "dimmer_conv2d_s8_f43_dsp": 4322,
    "dimmer_conv2d_s8_f43_sliced_dsp": 4534,
    "dimmer_conv2d_s8_narrow_dsp": 13774,
    "dimmer_conv2d_s8_apart_dsp": 8254,
    "dimmer_depthwise_conv2d_s8_dsp": 1538,
    "dimmer_depthwise_conv2d_s8_3x3_dsp": 2468,
    "dimmer_fully_connected_s8_dsp": 706,
    "dimmer_add_s8_dsp": 608,
    "dimmer_batch_matmul_s8_dsp": 1600,
    "dimmer_conv2d_add_s8_dsp": 2974,
    "dimmer_conv2d_add_s8_sliced_dsp": 3490,
    "dimmer_conv2d_add_s8_paired_dsp": 4446,
    "dimmer_conv2d_add_s8_f43_dsp": 4326,
    "dimmer_conv2d_add_s8_f43_sliced_dsp": 4538,
    "dimmer_conv2d_add_s8_narrow_dsp": 13782,
    "dimmer_conv2d_add_s8_apart_dsp": 8262,
    "dimmer_conv2d_s8_mve": 13224,
    "dimmer_conv2d_s8_entry_mve": 13456,
    "dimmer_depthwise_conv2d_s8_mve": 2848,
    "dimmer_fully_connected_s8_mve": 556,
    "dimmer_add_s8_mve": 664,
    "dimmer_conv2d_add_s8_mve": 13232,
    "dimmer_conv2d_add_s8_entry_mve": 13456,
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
    units: dict[str, int] = {}
    for name in kernels:
        unit = name.replace("conv2d_add_s8", "conv2d_s8").replace("apart", "narrow")
        units[unit] = max(units.get(unit, 0), KERNELS[name])
    return ENGINE + (GATES if gates else 0) + sum(units.values())
