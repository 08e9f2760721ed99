# SPDX-License-Identifier: Apache-2.0
"""Records of operators with weights."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.slices import sliced
from dimmer.firmware_gen.kernels.portable import CONV_2D
from dimmer.firmware_gen.lower.operators import lower
from dimmer.firmware_gen.lower.steps import Params, Scratch, Shifts, Step, Weights
from dimmer.firmware_gen.lower.weighted import SLICE_BYTES
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.lower.lowered import only, values
from tests.firmware_gen.tflite_builder import Layers


def constants(net: Layers, place: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of an operator."""
    found = [net.buffers[net.tensors[index].buffer].data for index in net.operators[place].inputs[1:3]]
    return found[0].view(np.int8).astype(int), found[1].view("<i4").astype(int)


def test_the_zero_point_of_the_input_is_folded_into_the_bias() -> None:
    net = Layers(0)
    x = net.activation([1, 5, 5, 3], 0.05, -11)
    step = only(net, x, net.conv(x, 4))
    weights, bias = constants(net, 0)
    assert step.fields["bias"] == Params(tuple((bias + 11 * weights.reshape(4, -1).sum(1)).tolist()))
    assert step.fields["weights"] == Weights(weights.astype(np.int8).tobytes(), (4, 3, 3, 3))
    assert values(step, "input_zero_point", "weight_bits", "slice_channels") == (-11, 8, 0)
    assert step.macs == 5 * 5 * 4 * 27


def test_a_multiplier_and_a_shift_rescale_each_channel() -> None:
    net = Layers(0)
    x = net.activation([1, 5, 5, 3], 0.05, -11)
    y = net.conv(x, 4)
    step = only(net, x, y)
    scales = net.tensors[net.operators[0].inputs[1]].quantization.scale
    multipliers, shifts = step.fields["multipliers"], step.fields["shifts"]
    assert isinstance(multipliers, Params)
    assert isinstance(shifts, Shifts)
    found = [m * 2.0 ** (s - 31) for m, s in zip(multipliers.values, shifts.values, strict=True)]
    assert found == pytest.approx([net.scale_of(x) * scale / net.scale_of(y) for scale in scales], rel=1e-9)


@pytest.mark.parametrize(
    ("kernel", "stride", "scratch"), [((1, 1), (1, 1), 0), ((1, 1), (2, 2), 8), ((3, 3), (1, 1), 56)]
)
def test_a_patch_is_gathered_unless_it_lies_in_the_input(
    kernel: tuple[int, int], stride: tuple[int, int], scratch: int
) -> None:
    net = Layers(0)
    x = net.activation([1, 6, 6, 3])
    step = only(net, x, net.conv(x, 4, kernel, stride))
    assert step.scratch_bytes == scratch
    assert step.fields["scratch"] == (Scratch() if scratch else 0)


def sliced_conv(bits: int, channels: int, depth: int) -> tuple[Step, Step]:
    """A 3x3 convolution, and the same with slices of its weights."""
    net = Layers(0)
    x = net.activation([1, 4, 4, depth], 0.05, 3)
    graph = parse_tflite(net.build(x, net.conv(x, channels)), "net.tflite")
    (operator,) = graph.operators
    tensors = tuple(
        replace(tensor, weight_bits=bits) if index == operator.inputs[1] else tensor
        for index, tensor in enumerate(graph.tensors)
    )
    (whole,), (narrow,) = (
        lower(made, operator, lambda tensor: tensor) for made in (graph, replace(graph, tensors=tensors))
    )
    return whole, narrow


@pytest.mark.parametrize("bits", [4, 2])
def test_slices_leave_the_blob_alone_and_need_scratch_for_some_channels(bits: int) -> None:
    whole, narrow = sliced_conv(bits, 300, 8)
    assert narrow.fields["weights"] == whole.fields["weights"]
    group = narrow.fields["slice_channels"]
    assert isinstance(group, int)
    assert group % 2 == 0
    assert group * 72 <= SLICE_BYTES < (group + 2) * 72
    assert narrow.scratch_bytes == whole.scratch_bytes + group * 72
    assert narrow.fields["weight_bits"] == bits


def test_the_folded_bias_is_that_of_the_slices() -> None:
    whole, narrow = sliced_conv(4, 6, 2)
    weights, wide, folded = (
        step.fields[name] for step, name in ((whole, "weights"), (whole, "bias"), (narrow, "bias"))
    )
    assert isinstance(weights, Weights)
    assert isinstance(wide, Params)
    assert isinstance(folded, Params)
    codes = np.frombuffer(weights.data, np.int8)
    difference = (codes.astype(int) - sliced(codes, 4)).reshape(6, -1).sum(1)
    assert (np.array(folded.values) - wide.values).tolist() == (3 * difference).tolist()


def test_two_channels_are_sliced_at_once_however_large() -> None:
    assert sliced_conv(4, 4, 1000)[1].fields["slice_channels"] == 2


def test_a_patch_that_no_record_counts_is_told() -> None:
    net = Layers(0)
    x = net.activation([1, 1, 1, 65535])
    weights = net.tensor("w", [1, 2, 1, 65535], "int8", 0.01, 0, 0, np.zeros((1, 2, 1, 65535)))
    y = net.operator("CONV_2D", [x, weights], net.activation([1, 1, 1, 1], name="y"), strideH=1, strideW=1)
    with pytest.raises(FirmwareGenError, match="sums over 131070 inputs, more than 65535; split the layer"):
        only(net, x, y)


def test_a_sum_that_may_overflow_is_told() -> None:
    net = Layers(0)
    x = net.activation([1, 2, 2, 1], 0.1, 0)
    weights = net.tensor("w", [1, 1, 1, 1], "int8", 0.1, 0, 0, np.ones((1, 1, 1, 1)))
    bias = net.tensor("b", [1], "int32", 0.01, 0, 0, np.array([2**31 - 128]))
    y = net.operator("CONV_2D", [x, weights, bias], net.activation([1, 2, 2, 1], name="y"), strideH=1, strideW=1)
    with pytest.raises(FirmwareGenError, match="a sum of up to 2147483648 may overflow; quantise again"):
        only(net, x, y)


def test_depthwise_weights_are_summed_channel_by_channel() -> None:
    net = Layers(0)
    x = net.activation([1, 5, 5, 2], 0.05, 7)
    step = only(net, x, net.depthwise(x, 3))
    weights, bias = constants(net, 0)
    assert step.fields["bias"] == Params(tuple((bias - 7 * weights.reshape(9, 6).sum(0)).tolist()))
    assert (step.fields["depth_multiplier"], step.macs) == (3, 5 * 5 * 6 * 9)


def test_a_fully_connected_layer_keeps_its_scale_as_a_double() -> None:
    net = Layers(0)
    x = net.activation([1, 10], 0.05, 7)
    weights = net.tensor("w", [3, 10], "int8", 0.01, 0, 0, np.ones((3, 10)))
    y = net.operator("FULLY_CONNECTED", [x, weights], net.activation([1, 3], 0.2, 1, "y"))
    step = only(net, x, y)
    scales = step.fields["scales"]
    assert isinstance(scales, Params)
    exact = float(np.float32(0.05)) * float(np.float32(0.01)) / float(np.float32(0.2))
    assert struct.unpack("<d", struct.pack("<2i", *scales.values)) == (exact,)
    assert step.fields["bias"] == Params((-70,) * 3)
    assert values(step, "rows", "input_c", "output_c", "per_channel") == (1, 10, 3, 0)


def test_a_bias_of_another_scale_than_its_products_is_told() -> None:
    net = Layers(0)
    x = net.activation([1, 10], 1.0, 7)
    weights = net.tensor("w", [3, 10], "int8", 1.0, 0, 0, np.ones((3, 10)))
    y = net.operator("FULLY_CONNECTED", [x, weights, net.bias(3)], net.activation([1, 3], 1.0, 1, "y"))
    with pytest.raises(FirmwareGenError, match="has a bias whose scale is not 1, that of its products"):
        only(net, x, y)


def test_a_depthwise_convolution_of_one_channel_is_a_convolution() -> None:
    net = Layers(0)
    x = net.activation([1, 5, 5, 1])
    step = only(net, x, net.depthwise(x, 6, (3, 2)))
    weights, _ = constants(net, 0)
    assert step.kernel is CONV_2D
    turned = weights.reshape(3, 2, 6).transpose(2, 0, 1).astype(np.int8).tobytes()
    assert step.fields["weights"] == Weights(turned, (6, 3, 2, 1))
    assert values(step, "input_c", "output_c") == (1, 6)
    assert step.macs == 5 * 5 * 6 * 6
