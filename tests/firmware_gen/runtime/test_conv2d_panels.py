# SPDX-License-Identifier: Apache-2.0
"""The convolutions that widen their operands to words: against the stock interpreter's reference kernels, and their
inner loop and rescaling on every board.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.graph import fixed_point
from dimmer.firmware_gen.graph.slices import sliced
from dimmer.firmware_gen.kernels import words
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.library import INCLUDE, RUNTIME, kernel_sources
from tests.boards import EVERY_TARGET, at_level, rest_slow
from tests.firmware_gen.runtime.c_library import SANITIZED, Arena, Constants
from tests.firmware_gen.runtime.one_op import OneTensor, one_op, reference
from tests.firmware_gen.runtime.records import (
    ACTIVATION_CODES,
    ACTIVATIONS,
    SAME,
    Window,
    folded_bias,
    pack,
    quantisation,
    random_codes,
    random_quantisation,
    tensor,
)

SLICED = {
    words.CONV_2D_PANEL: words.CONV_2D_PANEL_SLICED,
    words.CONV_2D_WINOGRAD: words.CONV_2D_WINOGRAD_SLICED,
}
LOOPS = (
    *("depthwise", "depthwise_thumb", "depthwise_riscv"),
    *("pairs", "pairs_riscv", "panel", "panel_small", "panel_store_riscv", "panel_thumb", "panel_riscv"),
)


def square(rng: np.random.Generator) -> Window:
    """A window of 3x3 that moves by one."""
    w = Window(rng, dilated=False)
    w.kernel_h = w.kernel_w = 3
    w.stride_h = w.stride_w = 1
    if w.padding == SAME:
        w.pad_top = w.pad_left = 1
    border = 0 if w.padding == SAME else 2
    w.output_h, w.output_w = w.height - border, w.width - border
    return w


def scratch_of(kernel: Kernel, w: Window, input_c: int, output_c: int, group: int, strip: int) -> int:
    if kernel is words.CONV_2D_WINOGRAD:
        plane = -(-input_c // 4) * 4
        return 24 * output_c + max(2304, 36 * plane) + 72 * plane * (4 * strip + group)
    length = -(-w.kernel_h * w.kernel_w * input_c // 4) * 4
    if kernel is words.CONV_2D_PAIRS:
        return 24 * output_c + 16 * group + 16 * -(-length // 8) * (4 + group) + length
    return 16 * (output_c + group) + 4 * length * (4 + group)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize(
    "kernel", [words.CONV_2D_PANEL, words.CONV_2D_PAIRS, words.CONV_2D_WINOGRAD], ids=lambda k: k.name[14:]
)
def test_conv2d(library: ctypes.CDLL, kernel: Kernel, seed: int) -> None:
    check_conv2d(library, kernel, seed, 8)


@pytest.mark.parametrize("bits", [4, 2])
@pytest.mark.parametrize("seed", range(9))
@pytest.mark.parametrize("kernel", list(SLICED), ids=lambda k: k.name[14:])
def test_conv2d_with_slices(library: ctypes.CDLL, kernel: Kernel, seed: int, bits: int) -> None:
    check_conv2d(library, SLICED[kernel], seed, bits, kernel)


def check_conv2d(library: ctypes.CDLL, runs: Kernel, seed: int, bits: int, like: Kernel | None = None) -> None:
    """A random layer in a random setting, with weights or, as another kernel, with their slices of some bits."""
    kernel = like or runs
    rng = np.random.default_rng(seed)
    winograd = kernel is words.CONV_2D_WINOGRAD
    w = square(rng) if winograd else Window(rng, dilated=True)
    batches, output_c = (int(x) for x in (rng.integers(1, 3), rng.integers(1, 9)))
    input_c = int(rng.integers(1, 20))
    group, strip = int(rng.integers(1, output_c + 1)), int(rng.integers(1, 3))
    q_in, q_out = random_quantisation(rng), random_quantisation(rng, 0.02, 0.5)
    q_w = quantisation(rng.uniform(0.001, 0.02, output_c))
    activation = ACTIVATIONS[seed % 3]
    image = random_codes(rng, (batches, w.height, w.width, input_c))
    weights = random_codes(rng, (output_c, w.kernel_h, w.kernel_w, input_c))
    if kernel is words.CONV_2D_PAIRS:
        weights = np.maximum(weights, -127)
    if seed % 4 == 0:  # the largest sums there are
        image = np.full_like(image, -128)
        weights = np.full_like(weights, 127 if seed % 8 else -127)
    codes, weights = weights, sliced(weights, bits)
    bias = rng.integers(-20000, 20000, output_c).astype(np.int32)
    folded = folded_bias(bias, weights, q_in.zero_point)
    largest = np.abs(folded).max() + 128 * np.abs(weights.astype(int)).reshape(output_c, -1).sum(axis=1).max()
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
    small = min(shifts) >= -11 and ((low, high) == (-128, 127) if winograd else largest < 2**20)
    constants, arena = Constants(), Arena()
    at, to = arena.place(image.nbytes, image), arena.place(int(np.prod(shape)))
    record = pack(
        kernel,
        input=at,
        output=to,
        scratch=arena.place(scratch_of(kernel, w, input_c, output_c, group, strip)),
        weights=constants.add_weights(codes),
        bias=constants.add_params(folded),
        multipliers=constants.add_params(multipliers),
        shifts=constants.add_shifts(shifts),
        batches=batches,
        input_c=input_c,
        output_c=output_c,
        weight_bits=bits,
        slice_channels=0,
        group=group,
        **({"strip": strip} if winograd else {}),
        **({} if kernel is words.CONV_2D_PANEL else {"small": int(small)}),
        **w.fields,
        **w.kernel_fields,
        input_zero_point=q_in.zero_point,
        output_zero_point=q_out.zero_point,
        activation_min=low,
        activation_max=high,
    )
    constants.run(library, runs.name, record, arena)
    np.testing.assert_array_equal(arena.read(to, shape), reference(file, image))


@pytest.mark.parametrize("name", EVERY_TARGET)
@pytest.mark.parametrize("optimisation", rest_slow(["-O1", "-O2", "-Os"], "-O2"))
def test_inner_loop_and_rescaling(tmp_path: Path, name: str, optimisation: str) -> None:
    target = at_level(name, " ".join((optimisation, *SANITIZED)) if name == "host" else optimisation)
    sources = [Path(__file__).with_name("panel_test.c")]
    sources += [path for path in kernel_sources() if path.stem in LOOPS]
    assert target.run(target.compile(sources, [INCLUDE, RUNTIME], tmp_path), [], tmp_path).returncode == 0
