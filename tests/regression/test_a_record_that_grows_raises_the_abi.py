# SPDX-License-Identifier: Apache-2.0
"""A record that has another size or layout than that of the ABI in force: a model that was generated before would be
misread.
"""

from __future__ import annotations

import hashlib

from dimmer.firmware_gen.emit.tables import ABI
from dimmer.firmware_gen.kernels.families import KERNELS
from dimmer.firmware_gen.kernels.record import Kernel, kernel, u8, u16
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.npu.kernel import ETHOS_U, ETHOS_U_END

OF_ABI = 8
"""The ABI that the layouts below are of."""


def layout_of(kernel: Kernel) -> str:
    """The first digits of a hash of its record's fields: where each begins, its type and name."""
    text, offset = "", 0
    for item in kernel.fields:
        text += f"{offset} {item.ctype.value} {item.path or item.name}[{item.count}]\n"
        offset += item.size
    return hashlib.sha256(text.encode()).hexdigest()[:6]


ALL = (*KERNELS, ETHOS_U, ETHOS_U_END)
RECORDS = {
    12: "ethos_u_end:66f5fb",
    16: "cast_f32:cc5a91 cast_s8:79ceb7 dequantize_s16_f32:e38289 lut_s8:914db0 quantize_f32_s16:e38289",
    20: ("dequantize_s8_f32:8e0da4 l2_normalization_s8:17da7b quantize_f32_s8:8e0da4 resize_bilinear_s8:caef80"),
    24: "arg_extreme_s8:d251af sigmoid_s16:5e713a state_s8:3d7bcb",
    28: ("copy_s8:53917a reduce_extreme_s8:908e28 requantize_s16:38ce45 requantize_s8:18f09a softmax_s8:19dd96"),
    32: (
        "gather_s8:b5e735 maximum_s8:9c4b48 mean_s16:60f03f mean_s8:49b6aa mean_s8_mve:49b6aa "
        "minimum_s8:9c4b48 requantize_s8_table:167dff softmax_s16:bb580e take_s8:ba7bb4"
    ),
    36: (
        "average_pool_2d_s16:966f30 average_pool_2d_s8:bd6702 average_pool_2d_s8_mve:bd6702 "
        "average_pool_2d_s8_up:bd6702 fully_connected_s8:cae59f fully_connected_s8_fixed:cae59f "
        "fully_connected_s8_mve:cae59f max_pool_2d_s16:966f30 max_pool_2d_s8:bd6702"
    ),
    40: (
        "fully_connected_s16:3e9295 fully_connected_s8_dsp:599636 fully_connected_s8_words:599636 "
        "select_s8:33037d transpose_s8:e173b5"
    ),
    44: "fully_connected_s8_offset:5efcfa mul_s16:d11f3a mul_s8:49e210 pad_s8:9856cb",
    48: "compare_s8:06fa80 prelu_s8:f397e5 svdf_s8:55986d",
    52: "add_s16:3b5756 ethos_u:9db891 transpose_conv_s8:98c17e",
    56: ("add_s8:41398a conv2d_s16:20dcd4 depthwise_conv2d_s16:20dcd4 squared_difference_s8:41398a sub_s8:41398a"),
    60: "add_s8_dsp:a83b37 add_s8_mve:a83b37 depthwise_conv2d_s8:1c83ff",
    64: (
        "add_s8_table:51843e conv2d_s8:be0bde depthwise_conv2d_s8_3x3:833b92 "
        "depthwise_conv2d_s8_dsp:833b92 depthwise_conv2d_s8_offset:cc87df "
        "depthwise_conv2d_s8_words:833b92 sum_s8_table:5da2b1"
    ),
    68: (
        "conv2d_s8_dsp:877af1 conv2d_s8_f43_dsp:42d441 conv2d_s8_f43_sliced_dsp:42d441 "
        "conv2d_s8_mve:1d6e7b conv2d_s8_offset:e14fc3 conv2d_s8_paired_dsp:30bbf4 conv2d_s8_pairs:07db23 "
        "conv2d_s8_panel:877af1 conv2d_s8_panel_sliced:877af1 conv2d_s8_sliced_dsp:877af1 "
        "depthwise_conv2d_s8_3x3_dsp:3010d5 depthwise_conv2d_s8_mve:5183b1"
    ),
    72: "conv2d_s8_winograd:cee511 conv2d_s8_winograd_sliced:cee511",
    76: "conv2d_s8_entry_mve:d05e75",
    80: "conv2d_s8_apart_dsp:54672d conv2d_s8_narrow_dsp:54672d conv2d_s8_packed:790ba7",
    88: "lstm_s8:e7b697",
    104: "batch_matmul_s8:4873d3",
    108: "batch_matmul_s8_dsp:eb36b9 batch_matmul_s8_mve:eb36b9",
    124: "conv2d_add_s8_dsp:7274b3 conv2d_add_s8_sliced_dsp:7274b3",
    128: (
        "conv2d_add_s8_f43_dsp:a14228 conv2d_add_s8_f43_sliced_dsp:a14228 conv2d_add_s8_mve:72866c "
        "conv2d_add_s8_paired_dsp:4bd580"
    ),
    132: ("conv2d_add_s8_entry_mve:d1f2f8 conv2d_add_s8_winograd:ee6d54 conv2d_add_s8_winograd_sliced:ee6d54"),
    136: "conv2d_add_s8_packed:768fb5",
    140: "conv2d_add_s8_apart_dsp:862210 conv2d_add_s8_narrow_dsp:862210",
}
"""Bytes of a record -> kernels and layouts; `test_header.py` compares the bytes with the compiler's."""


def test_a_record_of_another_size_raises_the_abi() -> None:
    known = {name.partition(":")[0]: size for size, names in RECORDS.items() for name in names.split()}
    found = {k.name.removeprefix("dimmer_"): k.record_size for k in ALL}
    others = {name: (known.get(name), size) for name, size in found.items() if known.get(name) != size}
    assert not others, "raise ABI (emit/tables.py) and DIMMER_ABI (dimmer.h), then write the sizes here, with that ABI"
    assert set(known) == set(found)
    assert OF_ABI == ABI, "another ABI: the records here are to be those of it"
    assert f"#define DIMMER_ABI {ABI}\n" in (INCLUDE / "dimmer.h").read_text()


def test_a_record_of_another_layout_raises_the_abi() -> None:
    """As `conv2d_s8_packed` had one for a day: `way` became two fields of half its size."""
    known = {name for names in RECORDS.values() for name in names.split()}
    found = {f"{k.name.removeprefix('dimmer_')}:{layout_of(k)}" for k in ALL}
    assert found - known == set(), (
        "raise ABI and DIMMER_ABI as above, then write these here; a new kernel needs no other"
    )
    assert known - found == set()


def test_fields_that_change_places_are_another_layout() -> None:
    one = kernel("dimmer_k", "", *u16("a", "b", "way"))
    other = kernel("dimmer_k", "", *u16("b", "a", "way"))
    halved = kernel("dimmer_k", "", *u16("a", "b"), *u8("way", "bits"))
    assert one.record_size == other.record_size == halved.record_size
    assert len({layout_of(one), layout_of(other), layout_of(halved)}) == 3
