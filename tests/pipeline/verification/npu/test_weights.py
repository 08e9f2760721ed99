# SPDX-License-Identifier: Apache-2.0
"""The order of weights, against Vela's own encoder; scales."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.pipeline.verification.npu.errors import NpuModelError
from dimmer.pipeline.verification.npu.weights import Order, Scales, decode, taking_turns


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("part_kernel", [False, True])
@pytest.mark.parametrize(("macs", "unit"), [(32, 4), (128, 8)])
def test_what_vela_encodes_is_decoded(depthwise: bool, part_kernel: bool, macs: int, unit: int) -> None:
    mlw_codec = pytest.importorskip("ethosu.mlw_codec", reason="needs pip install 'dimmer-nn[npu]'")
    if depthwise and part_kernel:
        pytest.skip("no NPU does both")
    random = np.random.default_rng(1)
    for outputs, height, width, inputs, block in ((5, 3, 3, 7, 16), (40, 1, 9, 33, 16), (17, 10, 1, 1, 8)):
        shape = (outputs, height, width, 1 if depthwise else inputs)
        weights = random.integers(-128, 128, shape, dtype=np.int16)
        encoded, _ = mlw_codec.reorder_encode(8, unit, weights, block, depthwise, part_kernel, 8, 8, 8)
        order = Order(*shape, block, macs, depthwise, part_kernel)
        assert np.array_equal(decode(bytes(encoded), order), weights)


def test_a_stream_with_too_few_weights_is_told() -> None:
    mlw_codec = pytest.importorskip("ethosu.mlw_codec", reason="needs pip install 'dimmer-nn[npu]'")
    encoded, _ = mlw_codec.reorder_encode(8, 8, np.ones((8, 1, 1, 8), np.int16), 8, False, False, 8, 8, 8)
    with pytest.raises(NpuModelError, match="weights, its stream"):
        decode(bytes(encoded), Order(64, 3, 3, 64, 8, 128, False, False))


def test_scales() -> None:
    records = (-5).to_bytes(5, "little", signed=True) + (1 << 31).to_bytes(4, "little") + bytes([0xC0 | 38])
    found = Scales.of(records * 2, 2)
    assert (found.bias.tolist(), found.scale.tolist(), found.shift.tolist()) == ([-5, -5], [1 << 31] * 2, [38, 38])
    with pytest.raises(NpuModelError, match="for 3 channels"):
        Scales.of(records * 2, 3)


def test_cores_take_turns() -> None:
    assert taking_turns([np.array([1, 3, 5]), np.array([2, 4])]).tolist() == [1, 2, 3, 4, 5]
