# SPDX-License-Identifier: Apache-2.0
"""A record that has another size than that of the ABI in force: a model that was generated before would be misread."""

from __future__ import annotations

from dimmer.firmware_gen.emit.tables import ABI
from dimmer.firmware_gen.kernels.families import KERNELS
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.npu.kernel import ETHOS_U, ETHOS_U_END

OF_ABI = 6
"""The ABI that the sizes below are of."""
SIZES = {
    12: "ethos_u_end",
    16: "cast_f32 cast_s8 dequantize_s16_f32 lut_s8 quantize_f32_s16",
    20: "dequantize_s8_f32 l2_normalization_s8 quantize_f32_s8 resize_bilinear_s8",
    24: "arg_extreme_s8 sigmoid_s16 state_s8",
    28: "copy_s8 reduce_extreme_s8 requantize_s16 requantize_s8 softmax_s8",
    32: "gather_s8 maximum_s8 mean_s16 mean_s8 mean_s8_mve minimum_s8 requantize_s8_table softmax_s16 take_s8",
    36: (
        "average_pool_2d_s16 average_pool_2d_s8 average_pool_2d_s8_mve average_pool_2d_s8_up "
        "fully_connected_s8 fully_connected_s8_fixed fully_connected_s8_mve max_pool_2d_s16 "
        "max_pool_2d_s8"
    ),
    40: "fully_connected_s16 fully_connected_s8_dsp fully_connected_s8_words select_s8 transpose_s8",
    44: "fully_connected_s8_offset mul_s16 mul_s8 pad_s8",
    48: "compare_s8 prelu_s8 svdf_s8",
    52: "add_s16 ethos_u transpose_conv_s8",
    56: "add_s8 conv2d_s16 depthwise_conv2d_s16 squared_difference_s8 sub_s8",
    60: "add_s8_dsp add_s8_mve depthwise_conv2d_s8",
    64: (
        "add_s8_table conv2d_s8 depthwise_conv2d_s8_3x3 depthwise_conv2d_s8_dsp "
        "depthwise_conv2d_s8_offset depthwise_conv2d_s8_words sum_s8_table"
    ),
    68: (
        "conv2d_s8_dsp conv2d_s8_f43_dsp conv2d_s8_mve conv2d_s8_offset conv2d_s8_paired_dsp "
        "conv2d_s8_pairs conv2d_s8_panel depthwise_conv2d_s8_3x3_dsp depthwise_conv2d_s8_mve"
    ),
    72: "conv2d_s8_winograd",
    76: "conv2d_s8_entry_mve",
    80: "conv2d_s8_narrow_dsp conv2d_s8_packed",
    88: "lstm_s8",
    104: "batch_matmul_s8",
    108: "batch_matmul_s8_dsp batch_matmul_s8_mve",
    124: "conv2d_add_s8_dsp",
    128: "conv2d_add_s8_f43_dsp conv2d_add_s8_mve conv2d_add_s8_paired_dsp",
    132: "conv2d_add_s8_entry_mve conv2d_add_s8_winograd",
    136: "conv2d_add_s8_packed",
    140: "conv2d_add_s8_narrow_dsp",
}
"""Bytes of a record -> kernels; `test_header.py` compares them with the compiler's."""


def test_a_record_of_another_size_raises_the_abi() -> None:
    known = {name: size for size, names in SIZES.items() for name in names.split()}
    found = {k.name.removeprefix("dimmer_"): k.record_size for k in (*KERNELS, ETHOS_U, ETHOS_U_END)}
    others = {name: (known.get(name), size) for name, size in found.items() if known.get(name) != size}
    assert not others, "raise ABI (emit/tables.py) and DIMMER_ABI (dimmer.h), then write the sizes here, with that ABI"
    assert set(known) == set(found)
    assert OF_ABI == ABI, "another ABI: the sizes here are to be those of it"
    assert f"#define DIMMER_ABI {ABI}\n" in (INCLUDE / "dimmer.h").read_text()
