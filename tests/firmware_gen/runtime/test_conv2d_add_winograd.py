# SPDX-License-Identifier: Apache-2.0
"""A convolution with the ADD behind it, as one kernel and as two."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from dimmer.firmware_gen.kernels import words
from dimmer.firmware_gen.variants.add_table import places_of
from tests.firmware_gen.runtime.c_library import Arena, Constants
from tests.firmware_gen.runtime.records import Value, pack, random_codes
from tests.firmware_gen.runtime.test_conv2d_panels import scratch_of, square
from tests.firmware_gen.variants.steps import add as sum_step


@pytest.mark.parametrize("seed", range(24))
def test_conv2d_add_winograd(library: ctypes.CDLL, seed: int) -> None:
    rng = np.random.default_rng(seed)
    w = square(rng)
    batches, input_c, output_c = int(rng.integers(1, 3)), int(rng.integers(1, 14)), int(rng.integers(1, 9))
    group, strip = (output_c, 1) if seed % 2 else (int(rng.integers(1, output_c + 1)), int(rng.integers(1, 4)))
    operand = 1 + seed // 2 % 2
    shape = (batches, w.output_h, w.output_w, output_c)
    size = int(np.prod(shape))
    image, weights = random_codes(rng, (batches, w.height, w.width, input_c)), random_codes(rng, (output_c, 9, input_c))
    constants, arena = Constants(), Arena()
    conv: dict[str, Value] = {
        "input": arena.place(image.nbytes, image),
        "scratch": arena.place(scratch_of(words.CONV_2D_WINOGRAD, w, input_c, output_c, group, strip)),
        "weights": constants.add_weights(weights),
        "bias": constants.add_params(rng.integers(-20000, 20000, output_c)),
        "multipliers": constants.add_params(rng.integers(1 << 30, 1 << 31, output_c)),
        "shifts": constants.add_shifts([int(x) for x in rng.integers(-11, -5, output_c)]),
        "batches": batches,
        "input_c": input_c,
        "output_c": output_c,
        "weight_bits": 8,
        "slice_channels": 0,
        "group": group,
        "strip": strip,
        "small": seed % 3 % 2,
        **w.fields,
        **w.kernel_fields,
        "input_zero_point": int(rng.integers(-128, 128)),
        "output_zero_point": int(rng.integers(-128, 128)),
        "activation_min": -128,
        "activation_max": 127,
    }
    add: dict[str, Value] = {
        "dims": (1, 1, 1, size),
        "multiplier1": int(rng.integers(1 << 30, 1 << 31)),
        "multiplier2": int(rng.integers(1 << 30, 1 << 31)),
        "multiplier_output": int(rng.integers(1 << 30, 1 << 31)),
        "shift1": int(rng.integers(-3, 1)),
        "shift2": int(rng.integers(-3, 1)),
        "shift_output": int(rng.integers(-20, -17)),
        "left_shift": 20,
        "zero_point1": int(rng.integers(-128, 128)),
        "zero_point2": int(rng.integers(-128, 128)),
        "output_zero_point": int(rng.integers(-128, 128)),
        "activation_min": int(rng.integers(-128, 0)),
        "activation_max": int(rng.integers(0, 128)),
        "broadcast1": 0,
        "broadcast2": 0,
        "input1_blob": 0,
        "input2_blob": 0,
    }
    residual = arena.place(size, random_codes(rng, shape))
    result, expected, tables = arena.place(size), arena.place(size), arena.place(2048)
    inputs = (result, residual) if operand == 1 else (residual, result)
    constants.run(library, "dimmer_conv2d_s8_winograd", pack(words.CONV_2D_WINOGRAD, output=result, **conv), arena)
    record = pack(words.ADD_TABLE, input1=inputs[0], input2=inputs[1], output=expected, scratch=tables, places=0, **add)
    constants.run(library, "dimmer_add_s8_table", record, arena)

    more = scratch_of(words.CONV_2D_WINOGRAD, w, input_c, output_c, group, strip) + 2048 + 64 * strip * output_c
    scratch = arena.place(more)
    fields: dict[str, Value] = {f"add_{name}": value for name, value in add.items()} | {"add_reserved": (0, 0, 0)}
    fields |= {"add_input1": residual, "add_input2": residual, "add_output": residual, "operand": operand}
    fields |= {"places": places_of(sum_step(**add))}
    record = pack(words.CONV_2D_ADD_WINOGRAD, output=residual, **{**conv, "scratch": scratch}, **fields)
    constants.run(library, "dimmer_conv2d_add_s8_winograd", record, arena)
    np.testing.assert_array_equal(arena.read(residual, shape), arena.read(expected, shape))
