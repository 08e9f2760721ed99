# SPDX-License-Identifier: Apache-2.0
"""Convolutions of narrow inputs and weights whose words hold several rows: against the portable kernel, which is
compared with the stock interpreter elsewhere, in every setting that the generator may choose.
"""

from __future__ import annotations

import ctypes
import dataclasses
from typing import Any

import numpy as np
import pytest

from dimmer.firmware_gen.kernels import portable
from dimmer.firmware_gen.kernels.fused import CONV_2D_ADD
from dimmer.firmware_gen.kernels.packed import CONV_2D_ADD_PACKED
from dimmer.firmware_gen.lower.steps import Buffer, Params, Scratch, Shifts, Step, Weights, step
from dimmer.firmware_gen.variants.packed import VARIANTS
from dimmer.firmware_gen.variants.packed_plan import Plan, plans
from tests.firmware_gen.runtime.one_step import run_step
from tests.firmware_gen.runtime.records import Window
from tests.firmware_gen.variants.steps import add, slice_codes

CONV, CONV_ADD = VARIANTS[:2]
STEEPNESS = (0.02, 0.2, 0.9, 4.0, 20.0)
PAIRS = [(4, 4), (2, 2), (2, 4)]
"""Bits of weights and of inputs."""


def narrow_conv(
    rng: np.random.Generator, bits: int, steepness: float, input_bits: int | None = None
) -> tuple[Step, np.ndarray]:
    """A random step and its input.

    Args:
        bits: of weights, and of inputs unless these have others.
        steepness: codes that a sum of slices is about.
    """
    w = Window(rng, dilated=False)
    w.kernel_w = 3 if rng.random() < 0.5 else w.kernel_w
    w.stride_w = 1 if rng.random() < 0.5 else w.stride_w
    w.dilation_h = int(rng.integers(1, 3))
    pads = {"pad_top": int(rng.integers(0, w.kernel_h)), "pad_left": int(rng.integers(0, w.kernel_w))}
    sizes = {"output_h": int(rng.integers(1, w.height + 2)), "output_w": int(rng.integers(1, w.width + 2))}
    batches, input_c, output_c = int(rng.integers(1, 3)), 4 * int(rng.integers(1, 12)), int(rng.integers(1, 11))
    shape = (output_c, w.kernel_h, w.kernel_w, input_c)
    codes = rng.integers(-128, 128, shape)
    kinds = rng.integers(0, 6, output_c)
    codes[kinds == 0] = 127
    codes[kinds == 1] = -128
    values = slice_codes(codes, bits)
    bias = rng.integers(-300, 300, output_c) * (1 if steepness < 10 else 0)
    bias[kinds == 2] = 10_000_000
    folded = bias + 128 * values.reshape(output_c, -1).sum(axis=1)
    real = steepness * rng.uniform(0.5, 1, output_c) / (7 if bits == 2 else 1)
    fraction, exponent = np.frexp(real)
    low = int(rng.choice([-128, -100]))
    input_bits = input_bits or bits
    high = int(rng.choice([127, 100, low + 2**input_bits - 1]))
    fields: dict[str, Any] = {
        **w.fields,
        **w.kernel_fields,
        **pads,
        **sizes,
        "batches": batches,
        "input_c": input_c,
        "output_c": output_c,
        "weight_bits": bits,
        "slice_channels": output_c,
        "input_zero_point": -128,
        "output_zero_point": -128 if rng.random() < 0.5 else int(rng.integers(-128, 128)),
        "activation_min": low,
        "activation_max": high,
    }
    high_input = 2**input_bits - 1
    made = step(
        portable.CONV_2D,
        "layer",
        scratch_bytes=3 * int(np.prod(shape)) + 64,
        input_high=high_input - 128,
        input=Buffer(0),
        output=Buffer(1),
        scratch=Scratch(),
        weights=Weights(codes.astype(np.int8).tobytes(), shape),
        bias=Params(tuple(folded.tolist())),
        multipliers=Params(tuple(int(f * 2**31) for f in fraction)),
        shifts=Shifts(tuple(exponent.tolist())),
        **fields,
    )
    image = rng.integers(0, high_input + 1, (batches, w.height, w.width, input_c))
    if rng.random() < 0.3:
        image[:] = high_input
    return made, (image - 128).astype(np.int8)


def size_of(conv: Step) -> int:
    return int(np.prod([int(str(conv.fields[name])) for name in ("batches", "output_h", "output_w", "output_c")]))


@pytest.mark.parametrize(("bits", "input_bits"), PAIRS)
@pytest.mark.parametrize("seed", range(25))
def test_conv2d(library: ctypes.CDLL, seed: int, bits: int, input_bits: int) -> None:
    rng = np.random.default_rng(seed)
    conv, image = narrow_conv(rng, bits, STEEPNESS[seed % 5], input_bits)
    expected = run_step(library, conv, {0: image}, size_of(conv))
    settings = list(CONV.settings(conv)) if CONV.supports(conv) else []
    for chosen in rng.permutation(len(settings))[:4]:
        packed = CONV.apply(conv, settings[chosen])
        np.testing.assert_array_equal(run_step(library, packed, {0: image}, size_of(conv)), expected)


def test_nearly_all_of_these_are_supported_in_every_way() -> None:
    found: list[Plan] = []
    refused = 0
    for seed in range(25):
        for bits in (4, 2):
            conv, _ = narrow_conv(np.random.default_rng(seed), bits, STEEPNESS[seed % 5])
            found += plans(conv)
            refused += not plans(conv)
    assert {plan.settings["way"] for plan in found} == {0, 1, 2, 3}
    assert {plan.form.planes for plan in found} == {1, 6}
    assert {plan.chunks > 1 for plan in found} == {False, True}
    assert refused <= 6


def test_most_of_two_bit_weights_with_four_bit_inputs_are_supported() -> None:
    steps = [narrow_conv(np.random.default_rng(seed), 2, STEEPNESS[seed % 5], 4)[0] for seed in range(25)]
    found = [plan for conv in steps for plan in plans(conv)]
    assert {plan.settings["input_bits"] for plan in found} == {4}
    assert {plan.form.planes for plan in found} == {1, 6}
    assert sum(not plans(conv) for conv in steps) <= 3


@pytest.mark.parametrize(("bits", "input_bits"), PAIRS)
@pytest.mark.parametrize("seed", range(12))
def test_conv2d_add_in_place(library: ctypes.CDLL, seed: int, bits: int, input_bits: int) -> None:
    rng = np.random.default_rng(100 + seed)
    conv, image = narrow_conv(rng, bits, (0.2, 4.0)[seed % 2], input_bits)
    size, operand = size_of(conv), 1 + seed // 2 % 2
    residual = rng.integers(-128, 128, size).astype(np.int8)
    result = run_step(library, conv, {0: image}, size)
    changes = {
        "dims": (1, 1, 1, size),
        "multiplier_output": int(rng.integers(1 << 30, (1 << 31) - 1)),
        "shift_output": -17,
        "input1": Buffer(1 if operand == 1 else 2),
        "input2": Buffer(2 if operand == 1 else 1),
        "output": Buffer(3),
    }
    plain = add(**changes)
    expected = run_step(library, plain, {1: result, 2: residual}, size)
    fields = {**conv.fields, **{f"add_{name}": value for name, value in plain.fields.items()}, "output": Buffer(2)}
    fields |= {f"add_input{operand}": Scratch(), "add_output": Buffer(2), "operand": operand, "reserved2": 0}
    fused = dataclasses.replace(
        conv, kernel=CONV_2D_ADD, values=tuple(fields[item.name] for item in CONV_2D_ADD.fields), writes=2, reads=(0, 2)
    )
    settings = list(CONV_ADD.settings(fused)) if CONV_ADD.supports(fused) else []
    for chosen in rng.permutation(len(settings))[:3]:
        packed = CONV_ADD.apply(fused, settings[chosen])
        assert packed.kernel == CONV_2D_ADD_PACKED
        np.testing.assert_array_equal(run_step(library, packed, {0: image, 2: residual}, size), expected)
