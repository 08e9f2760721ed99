# SPDX-License-Identifier: Apache-2.0
"""Each operator becomes steps of its kernel."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from tests.firmware_gen.lower.lowered import lowered, steps_of
from tests.firmware_gen.networks import tiny_mix, tiny_mobile, tiny_resnet
from tests.firmware_gen.tflite_builder import Layers

RESNET = ("conv2d_s8", "conv2d_s8", "conv2d_s8", "add_s8", "average_pool_2d_s8", "fully_connected_s8", "softmax_s8")
MOBILE = ("conv2d_s8", "depthwise_conv2d_s8", "conv2d_s8", "mean_s8", "lut_s8")
MIX = (
    *("quantize_f32_s8", "max_pool_2d_s8", "conv2d_s8", "copy_s8", "copy_s8", "transpose_s8"),
    *("mul_s8", "sub_s8", "requantize_s8", "dequantize_s8_f32"),
)


@pytest.mark.parametrize(
    ("data", "kernels"),
    [(tiny_resnet(), RESNET), (tiny_mobile(), MOBILE), (tiny_mix(), MIX)],
    ids=["resnet", "mobile", "mix"],
)
def test_operators_become_steps_of_their_kernels(data: bytes, kernels: tuple[str, ...]) -> None:
    steps = steps_of(data)
    assert tuple(step.kernel.name.removeprefix("dimmer_") for step in steps) == kernels


def test_a_scale_that_no_multiplier_holds_is_told_with_its_layer() -> None:
    net = Layers(0)
    x = net.activation([1, 4], 1.0, 0)
    y = net.operator("QUANTIZE", [x], net.activation([1, 4], 1e-12, 0, "tiny"))
    advice = "quantise again with calibration data that reaches this layer"
    with pytest.raises(FirmwareGenError, match=rf"operator 0 QUANTIZE \(tiny\): .* above 2\^30; {advice}"):
        lowered(net, x, y)
