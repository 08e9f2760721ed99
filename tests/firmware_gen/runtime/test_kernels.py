# SPDX-License-Identifier: Apache-2.0
"""Kernels that sum, with weights or over windows, against the stock interpreter's reference kernels, byte for byte."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from dimmer.firmware_gen.graph import fixed_point
from dimmer.firmware_gen.graph.slices import sliced
from dimmer.firmware_gen.kernels import portable
from tests.firmware_gen.runtime.c_library import Arena, Constants
from tests.firmware_gen.runtime.one_op import OneTensor, one_op, reference
from tests.firmware_gen.runtime.records import (
    ACTIVATION_CODES,
    ACTIVATIONS,
    SEEDS,
    Window,
    folded_bias,
    pack,
    quantisation,
    random_codes,
    random_quantisation,
    tensor,
)


@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize("seed", range(24))
def test_conv2d(library: ctypes.CDLL, seed: int, bits: int) -> None:
    rng = np.random.default_rng(seed)
    w = Window(rng, dilated=True)
    batches, input_c, output_c = (int(x) for x in (rng.integers(1, 3), rng.integers(1, 20), rng.integers(1, 9)))
    q_in, q_out = random_quantisation(rng), random_quantisation(rng, 0.02, 0.5)
    q_w = quantisation(rng.uniform(0.001, 0.02, output_c))
    activation = ACTIVATIONS[seed % 3]
    image = random_codes(rng, (batches, w.height, w.width, input_c))
    blob = random_codes(rng, (output_c, w.kernel_h, w.kernel_w, input_c))
    weights = sliced(blob, bits)
    slice_channels = output_c if output_c < 3 or seed % 2 else 2 * int(rng.integers(1, output_c // 2 + 1))
    bias = rng.integers(-20000, 20000, output_c).astype(np.int32)
    shape = (batches, w.output_h, w.output_w, output_c)
    file = one_op(
        "CONV_2D",
        "Conv2DOptions",
        {
            **w.options,
            "dilationHFactor": w.dilation_h,
            "dilationWFactor": w.dilation_w,
            "fusedActivationFunction": ACTIVATION_CODES[activation],
        },
        [
            tensor(image.shape, q_in),
            tensor(weights.shape, q_w, weights),
            OneTensor((output_c,), "int32", [s * q_in.scale for s in q_w.scales], data=bias),
        ],
        tensor(shape, q_out),
    )
    multipliers, shifts = fixed_point.convolution_multipliers(q_in, q_w, q_out, output_c)
    low, high = fixed_point.activation_range(activation, q_out)
    constants, arena = Constants(), Arena()
    size = w.kernel_h * w.kernel_w * input_c
    in_place = (
        w.kernel_h == w.kernel_w == 1
        and w.pad_top == w.pad_left == 0
        and (w.output_h - 1) * w.stride_h < w.height
        and (w.output_w - 1) * w.stride_w < w.width
    )
    at, to = arena.place(image.nbytes, image), arena.place(int(np.prod(shape)))
    record = pack(
        portable.CONV_2D,
        input=at,
        output=to,
        scratch=arena.place((0 if in_place else 2 * (-(-size // 4) * 4)) + (slice_channels * size if bits != 8 else 0)),
        weights=constants.add_weights(blob),
        bias=constants.add_params(folded_bias(bias, weights, q_in.zero_point)),
        multipliers=constants.add_params(multipliers),
        shifts=constants.add_shifts(shifts),
        batches=batches,
        input_c=input_c,
        output_c=output_c,
        weight_bits=bits,
        slice_channels=slice_channels,
        **w.fields,
        **w.kernel_fields,
        input_zero_point=q_in.zero_point,
        output_zero_point=q_out.zero_point,
        activation_min=low,
        activation_max=high,
    )
    constants.run(library, "dimmer_conv2d_s8", record, arena)
    np.testing.assert_array_equal(arena.read(to, shape), reference(file, image))


@pytest.mark.parametrize("seed", range(16))
def test_depthwise_conv2d(library: ctypes.CDLL, seed: int) -> None:
    rng = np.random.default_rng(seed)
    w = Window(rng, dilated=True)
    batches, input_c, multiplier = (int(x) for x in (rng.integers(1, 3), rng.integers(1, 11), (1, 1, 2, 3)[seed % 4]))
    output_c = input_c * multiplier
    q_in, q_out = random_quantisation(rng), random_quantisation(rng, 0.02, 0.5)
    q_w = quantisation(rng.uniform(0.005, 0.05, output_c))
    activation = ACTIVATIONS[seed % 3]
    image = random_codes(rng, (batches, w.height, w.width, input_c))
    weights = random_codes(rng, (1, w.kernel_h, w.kernel_w, output_c))
    bias = rng.integers(-5000, 5000, output_c).astype(np.int32)
    shape = (batches, w.output_h, w.output_w, output_c)
    file = one_op(
        "DEPTHWISE_CONV_2D",
        "DepthwiseConv2DOptions",
        {
            **w.options,
            "depthMultiplier": multiplier,
            "dilationHFactor": w.dilation_h,
            "dilationWFactor": w.dilation_w,
            "fusedActivationFunction": ACTIVATION_CODES[activation],
        },
        [
            tensor(image.shape, q_in),
            tensor(weights.shape, q_w, weights, axis=3),
            OneTensor((output_c,), "int32", [s * q_in.scale for s in q_w.scales], data=bias),
        ],
        tensor(shape, q_out),
    )
    multipliers, shifts = fixed_point.convolution_multipliers(q_in, q_w, q_out, output_c)
    low, high = fixed_point.activation_range(activation, q_out)
    constants, arena = Constants(), Arena()
    at, to = arena.place(image.nbytes, image), arena.place(int(np.prod(shape)))
    record = pack(
        portable.DEPTHWISE_CONV_2D,
        input=at,
        output=to,
        weights=constants.add_weights(weights),
        bias=constants.add_params(folded_bias(bias, np.moveaxis(weights, 3, 0), q_in.zero_point)),
        multipliers=constants.add_params(multipliers),
        shifts=constants.add_shifts(shifts),
        batches=batches,
        input_c=input_c,
        depth_multiplier=multiplier,
        **w.fields,
        **w.kernel_fields,
        input_zero_point=q_in.zero_point,
        output_zero_point=q_out.zero_point,
        activation_min=low,
        activation_max=high,
    )
    constants.run(library, "dimmer_depthwise_conv2d_s8", record, arena)
    np.testing.assert_array_equal(arena.read(to, shape), reference(file, image))


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_fully_connected(library: ctypes.CDLL, seed: int, per_channel: bool) -> None:
    rng = np.random.default_rng(seed)
    rows, input_c, output_c = (int(x) for x in (rng.integers(1, 5), rng.integers(1, 40), rng.integers(1, 12)))
    q_in, q_out = random_quantisation(rng), random_quantisation(rng, 0.02, 0.5)
    q_w = quantisation(rng.uniform(0.002, 0.03, output_c if per_channel else 1))
    activation = ACTIVATIONS[seed % 3]
    vectors, weights = random_codes(rng, (rows, input_c)), random_codes(rng, (output_c, input_c))
    bias = rng.integers(-5000, 5000, output_c).astype(np.int32)
    file = one_op(
        "FULLY_CONNECTED",
        "FullyConnectedOptions",
        {"fusedActivationFunction": ACTIVATION_CODES[activation]},
        [
            tensor(vectors.shape, q_in),
            tensor(weights.shape, q_w, weights),
            OneTensor((output_c,), "int32", [s * q_in.scale for s in q_w.scales], data=bias),
        ],
        tensor((rows, output_c), q_out),
    )
    scales = fixed_point.fully_connected_scales(q_in, q_w, q_out)
    low, high = fixed_point.activation_range(activation, q_out)
    constants, arena = Constants(), Arena()
    at, to = arena.place(vectors.nbytes, vectors), arena.place(rows * output_c)
    record = pack(
        portable.FULLY_CONNECTED,
        input=at,
        output=to,
        weights=constants.add_weights(weights),
        bias=constants.add_params(folded_bias(bias, weights, q_in.zero_point)),
        scales=constants.add_params(fixed_point.double_words(scales)),
        rows=rows,
        input_c=input_c,
        output_c=output_c,
        output_zero_point=q_out.zero_point,
        activation_min=low,
        activation_max=high,
        per_channel=int(per_channel),
    )
    constants.run(library, "dimmer_fully_connected_s8", record, arena)
    np.testing.assert_array_equal(arena.read(to, (rows, output_c)), reference(file, vectors))


MEANS = [
    ((1, 2), (2, 15, 5, 1)),
    ((2, 1), (2, 15, 5, 1)),
    ((3,), (30, 5, 1, 1)),
    ((1, 3), (2, 3, 5, 5)),
    ((0,), (1, 2, 75, 1)),
]


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("axes", "split"), MEANS, ids=str)
def test_mean(
    library: ctypes.CDLL, axes: tuple[int, ...], split: tuple[int, int, int, int], seed: int, keep: bool
) -> None:
    rng = np.random.default_rng(seed)
    shape = (2, 3, 5, 5)
    q_in, q_out = random_quantisation(rng), random_quantisation(rng)
    if seed == 0:
        q_out = q_in
    values = random_codes(rng, shape)
    result = values.mean(axis=axes, keepdims=keep).shape
    file = one_op(
        "MEAN",
        "ReducerOptions",
        {"keepDims": keep},
        [tensor(shape, q_in), OneTensor((len(axes),), "int32", data=np.array(axes, dtype=np.int32))],
        tensor(result, q_out),
    )
    outer, reduce1, inner, reduce2 = split
    multiplier, shift = fixed_point.mean_multiplier(q_in, q_out, reduce1 * reduce2)
    arena = Arena()
    at, to = arena.place(values.nbytes, values), arena.place(outer * inner)
    record = pack(
        portable.MEAN,
        input=at,
        output=to,
        outer=outer,
        reduce1=reduce1,
        inner=inner,
        reduce2=reduce2,
        multiplier=multiplier,
        shift=shift,
        input_zero_point=q_in.zero_point,
        output_zero_point=q_out.zero_point,
    )
    Constants().run(library, "dimmer_mean_s8", record, arena)
    np.testing.assert_array_equal(arena.read(to, result), reference(file, values))


@pytest.mark.parametrize("operator", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
@pytest.mark.parametrize("seed", range(8))
def test_pool(library: ctypes.CDLL, operator: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    w = Window(rng, dilated=False)
    batches, channels = int(rng.integers(1, 3)), int(rng.integers(1, 7))
    q = random_quantisation(rng)
    activation = ACTIVATIONS[seed % 3]
    image = random_codes(rng, (batches, w.height, w.width, channels))
    shape = (batches, w.output_h, w.output_w, channels)
    file = one_op(
        operator,
        "Pool2DOptions",
        {
            **w.options,
            "filterHeight": w.kernel_h,
            "filterWidth": w.kernel_w,
            "fusedActivationFunction": ACTIVATION_CODES[activation],
        },
        [tensor(image.shape, q)],
        tensor(shape, q),
    )
    low, high = fixed_point.activation_range(activation, q)
    kernel = portable.AVERAGE_POOL_2D if operator == "AVERAGE_POOL_2D" else portable.MAX_POOL_2D
    arena = Arena()
    at, to = arena.place(image.nbytes, image), arena.place(int(np.prod(shape)))
    record = pack(
        kernel,
        input=at,
        output=to,
        batches=batches,
        channels=channels,
        window_h=w.kernel_h,
        window_w=w.kernel_w,
        **w.fields,
        activation_min=low,
        activation_max=high,
    )
    Constants().run(library, kernel.name, record, arena)
    np.testing.assert_array_equal(arena.read(to, shape), reference(file, image))
