# SPDX-License-Identifier: Apache-2.0
"""The one encoding of a network's input."""

import numpy as np
import torch

from dimmer.pipeline.data.encoding import INPUT_SCALE, INPUT_ZERO_POINT, to_input, to_int8


def ramp(count: int = 6, size: int = 8) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.arange(count * size * size * 3, dtype=np.int64).astype(np.uint8).reshape(count, size, size, 3)


def test_the_input_is_exactly_the_int8_code_times_its_scale() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    codes = to_int8(pixels)
    assert codes.reshape(-1).tolist() == list(range(-128, 128))
    expected = (codes.astype(np.float32) - INPUT_ZERO_POINT) * INPUT_SCALE
    assert torch.equal(to_input(pixels), torch.from_numpy(expected).permute(0, 3, 1, 2))


def test_input_is_channels_first() -> None:
    assert to_input(ramp()).shape == (6, 3, 8, 8)
    assert to_input(ramp())[2, 1, 3, 4] == (int(ramp()[2, 3, 4, 1]) - 128) / 64
