# SPDX-License-Identifier: Apache-2.0
"""A channel whose weights are all but 0, as weight decay leaves them, has a multiplier of 0, or a shift or a bias that
the fast kernels do not have; its whole layer once ran on the portable ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.graph.fixed_point import constant_channel, multiply_by_quantized_multiplier
from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.tflite_builder import Layers


def dead_channel(scale: float, value: float) -> bytes:
    """Channel 1 of a depthwise and of a 1x1 convolution gives `value` whatever comes."""
    net = Layers(5)
    x = net.activation([1, 6, 6, 4], 0.05, -3)
    y = net.conv(net.depthwise(x), 8, (1, 1))
    for operator in net.operators:
        source, weights, bias = operator.inputs
        net.tensors[weights].quantization.scale[1] = scale
        buffer = net.buffers[net.tensors[bias].buffer]
        values = buffer.data.view(np.int32).copy()
        # In steps of the bias, as far as these reach.
        values[1] = int(np.clip(value / (scale * net.scale_of(source)), -(2**30), 2**30))
        buffer.data = values.view(np.uint8)
    return net.build(x, y)


def test_a_dead_channel_keeps_its_layer_fast(tmp_path: Path) -> None:
    cases = []
    for scale in (1e-20, 1e-12, 1e-9):
        for value in (0.0, 0.7, -0.7, 3.0):
            path = tmp_path / f"{scale}_{value}.tflite"
            path.write_bytes(dead_channel(scale, value))
            kernels = generate([ModeSource("dead", path)], tmp_path / path.stem, core="cortex-m3").kernels
            assert kernels == ("dimmer_depthwise_conv2d_s8_3x3", "dimmer_conv2d_s8_panel")
            cases.append(Case(path.stem, path, edge_inputs(path, 20), core="cortex-m3"))
    assert_exact(cases, tmp_path)


@pytest.mark.parametrize("seed", range(50))
def test_the_numbers_of_a_constant_channel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    spread = int(rng.integers(1, 2**20))
    bias, multiplier = int(rng.integers(-(2**30), 2**30)), int(rng.integers(2**30, 2**31))
    shift = -int(rng.integers(22, 31))
    found = constant_channel(bias, multiplier, shift, spread)
    sums = np.unique(np.concatenate([[-spread, spread, 0], rng.integers(-spread, spread + 1, 200)])).tolist()
    values = {multiply_by_quantized_multiplier(bias + s, multiplier, shift) for s in sums}
    if found is None:
        assert len(values) > 1 or 4 * abs(values.pop()) * spread + spread >= 2**30
    else:
        assert {multiply_by_quantized_multiplier(found[0] + s, *found[1:]) for s in sums} == values
