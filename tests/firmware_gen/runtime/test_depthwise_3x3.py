# SPDX-License-Identifier: Apache-2.0
"""Depthwise convolution by padded rows against the portable kernel, which is compared with the interpreter."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from dimmer.firmware_gen.kernels import portable, words
from tests.firmware_gen.runtime.c_library import Arena, Constants
from tests.firmware_gen.runtime.records import SAME, Value, Window, pack, random_codes


@pytest.mark.parametrize("seed", range(40))
def test_depthwise_conv2d_3x3(library: ctypes.CDLL, seed: int) -> None:
    rng = np.random.default_rng(seed)
    w = Window(rng, dilated=False)
    w.kernel_h = w.kernel_w = 3
    w.stride_h, w.stride_w = (1, 1) if seed % 2 else tuple(int(x) for x in rng.integers(1, 5, 2))
    w.pad_top, w.pad_left = (int(x) for x in rng.integers(0, 3, 2)) if w.padding == SAME else (0, 0)
    # Whatever leaves a window with at least one element of the input.
    w.output_h = (w.height + w.pad_top - 1) // w.stride_h + 1
    w.output_w = (w.width + w.pad_left - 1) // w.stride_w + 1
    batches, channels = int(rng.integers(1, 3)), int(rng.integers(1, 11))
    image = random_codes(rng, (batches, w.height, w.width, channels))
    weights = random_codes(rng, (1, 3, 3, channels))
    if seed % 5 == 0:
        image, weights = np.full_like(image, -128), np.full_like(weights, (-127, 127)[seed % 2])
    size = batches * w.output_h * w.output_w * channels
    width = max((w.output_w - 1) * w.stride_w + 3, w.pad_left + w.width)
    low = int(rng.integers(-128, 0))
    small = bool(rng.integers(0, 2))
    constants, arena = Constants(), Arena()
    fields: dict[str, Value] = {
        "input": arena.place(image.nbytes, image),
        "weights": constants.add_weights(weights),
        "bias": constants.add_params(rng.integers(-20000, 20000, channels)),
        "multipliers": constants.add_params(rng.integers(1 << 30, 1 << 31, channels)),
        "shifts": constants.add_shifts([int(x) for x in rng.integers(-11 if small else -12, 0, channels)]),
        "batches": batches,
        "input_c": channels,
        "depth_multiplier": 1,
        **w.fields,
        **w.kernel_fields,
        "input_zero_point": int(rng.integers(-128, 128)),
        "output_zero_point": int(rng.integers(-128, 128)),
        "activation_min": -128 if small else low,
        "activation_max": 127 if small else int(rng.integers(low, 128)),
    }
    expected, actual = arena.place(size), arena.place(size)
    scratch = arena.place(channels * (60 + 3 * width))
    constants.run(
        library, "dimmer_depthwise_conv2d_s8", pack(portable.DEPTHWISE_CONV_2D, output=expected, **fields), arena
    )
    record = pack(portable.DEPTHWISE_CONV_2D_3X3, output=actual, scratch=scratch, **fields)
    constants.run(library, "dimmer_depthwise_conv2d_s8_3x3", record, arena)
    np.testing.assert_array_equal(arena.read(actual, (size,)), arena.read(expected, (size,)))
    if small:
        record = pack(words.DEPTHWISE_CONV_2D_WORDS, output=actual, scratch=scratch, **fields)
        constants.run(library, "dimmer_depthwise_conv2d_s8_words", record, arena)
        np.testing.assert_array_equal(arena.read(actual, (size,)), arena.read(expected, (size,)))
