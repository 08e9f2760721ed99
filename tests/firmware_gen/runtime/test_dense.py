# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED in fixed point: equal to the reference's double for every sum that is possible."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.graph import fixed_point
from dimmer.firmware_gen.kernels import dsp, portable, words
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.lower import steps
from dimmer.firmware_gen.variants.dense import VARIANTS, fixed_rescale, halfwords
from dimmer.targets import load_target
from tests.boards import BOARD_PARAMS, rest_slow
from tests.firmware_gen.runtime.c_library import Arena, Constants, kernels_of
from tests.firmware_gen.runtime.records import pack, random_codes


def in_double(sums: np.ndarray, scale: float, zero_point: int, low: int, high: int) -> np.ndarray:
    whole = np.floor(np.abs(sums * scale))
    rounded = np.copysign(whole + (np.abs(sums * scale) - whole >= 0.5), sums)
    return np.asarray(np.clip(rounded + zero_point, low, high))


@pytest.mark.parametrize("seed", range(60))
def test_every_code_begins_at_the_same_sum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Powers of two make ties, which are rounded away from zero.
    scale = 2.0 ** int(rng.integers(-20, -2)) if seed % 4 == 0 else float(np.exp(rng.uniform(-14, -1.5)))
    zero_point, low, largest = int(rng.integers(-128, 128)), int(rng.integers(-128, 100)), int(rng.integers(2, 2**24))
    rescale = fixed_rescale(scale, zero_point, low, 127, largest)
    if rescale is None:
        assert seed % 4 == 0, "only ties are out of reach"
        return
    multiplier, start, shift = rescale
    edges = np.rint((np.arange(-256, 257) + 0.5) / scale).astype(np.int64)
    sums = np.concatenate([rng.integers(-largest, largest + 1, 5000), *(edges + step for step in range(-2, 3))])
    sums = sums[np.abs(sums) <= largest]
    fixed = np.clip((start + ((sums * multiplier) >> 32)) >> shift, low, 127)
    np.testing.assert_array_equal(fixed, in_double(sums, scale, zero_point, low, 127))


@pytest.mark.parametrize("scale", [0.25, 0.7, 3.0, 2.0**-25])
def test_scales_that_fixed_point_cannot_have(scale: float) -> None:
    assert fixed_rescale(scale, 0, -128, 127, 1000) is None


@pytest.mark.parametrize("seed", range(20))
def test_the_kernel_is_the_one_that_rescales_in_double(library: ctypes.CDLL, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, depth, channels = int(rng.integers(1, 4)), int(rng.integers(1, 40)), int(rng.integers(1, 12))
    per_channel = seed % 2
    vectors, weights = random_codes(rng, (rows, depth)), random_codes(rng, (channels, depth))
    bias, zero_point = rng.integers(-5000, 5000, channels), int(rng.integers(-128, 128))
    scales = rng.uniform(0.0005, 0.02, channels if per_channel else 1).tolist()
    largest = int((np.abs(bias) + 128 * np.abs(weights.astype(int)).sum(axis=1)).max())
    rescales = [fixed_rescale(scale, zero_point, -128, 127, largest) for scale in scales]
    constants, arena = Constants(), Arena()
    at = arena.place(vectors.nbytes, vectors)
    fields = {
        "input": at,
        "weights": constants.add_weights(weights),
        "bias": constants.add_params(bias),
        "rows": rows,
        "input_c": depth,
        "output_c": channels,
        "output_zero_point": zero_point,
        "activation_min": -128,
        "activation_max": 127,
        "per_channel": per_channel,
    }
    doubles = constants.add_params(fixed_point.double_words(scales))
    triples = constants.add_params([value for rescale in rescales for value in rescale or (0, 0, 0)])
    found = []
    scratch = {"scratch": arena.place(4 * depth)}
    for kernel, scale, own in (
        (portable.FULLY_CONNECTED, doubles, {}),
        (portable.FULLY_CONNECTED_FIXED, triples, {}),
        (words.FULLY_CONNECTED_WORDS, triples, scratch),
    ):
        to = arena.place(rows * channels)
        constants.run(library, kernel.name, pack(kernel, output=to, scales=scale, **fields, **own), arena)
        found.append(arena.read(to, (rows, channels)))
    assert None not in rescales
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_the_one_for_dsp_reads_whole_words() -> None:
    (variant,) = (variant for variant in VARIANTS if variant.kernel is dsp.FULLY_CONNECTED_DSP)
    for depth, supported in ((12, True), (13, False)):
        step = steps.step(
            portable.FULLY_CONNECTED,
            "layer",
            input=steps.Buffer(0),
            output=steps.Buffer(1),
            weights=steps.Weights(bytes(2 * depth), (2, depth)),
            bias=steps.Params((1, 2)),
            scales=steps.Params(fixed_point.double_words([0.01])),
            rows=1,
            input_c=depth,
            output_c=2,
            output_zero_point=0,
            activation_min=-128,
            activation_max=127,
            per_channel=0,
        )
        assert variant.supports(step) is supported


def test_two_channels_share_halfwords() -> None:
    codes = np.array([[1, 2, 3, 4], [-1, -2, -3, -4], [5, 6, 7, 8]])
    found = halfwords(codes)
    assert found is not None
    assert np.frombuffer(found.data, "<i2").reshape(2, 8).tolist() == [
        [256 - 1, 3 * 256 - 3, 2 * 256 - 2, 4 * 256 - 4, 0, 0, 0, 0],
        [5 * 256, 7 * 256, 6 * 256, 8 * 256, 0, 0, 0, 0],
    ]
    assert halfwords(np.array([[-128], [-1]])) is None
    assert halfwords(np.full((2, 640), 127)) is None, "a sum of 640 * 127 * 128 times 256 has no room"


@pytest.mark.parametrize("name", rest_slow(BOARD_PARAMS, "mps2-an386"))
def test_on_a_board(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    elf = target.compile(
        [Path(__file__).with_name("dense_variants_test.c"), *kernels_of(target.core)], [INCLUDE], tmp_path
    )
    assert target.run(elf, [], tmp_path).returncode == 0
