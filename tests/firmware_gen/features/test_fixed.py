# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np

from dimmer.firmware_gen.features.fixed import codes, product, requantize
from dimmer.firmware_gen.graph.fixed_point import quantize_multiplier


def test_a_product_is_rounded_down() -> None:
    x, w = np.array([-3, 3, 2**30, -(2**31)]), np.array([32767, 32767, -32768, 32767])
    assert product(x, w).tolist() == [math.floor(int(a) * int(b) / 65536) for a, b in zip(x, w, strict=True)]


def test_requantize_is_near_the_real_product() -> None:
    values = np.random.default_rng(0).integers(-(2**24), 2**24, 1000)
    for real in (0.9, 0.031, 1e-5, 1.7):
        multiplier, shift = quantize_multiplier(real)
        assert np.abs(requantize(values, multiplier, shift) - values * real).max() <= 1.0


def test_codes_saturate() -> None:
    assert codes(np.array([-1000, -5, 0, 5, 1000]), *quantize_multiplier(0.5), 3).tolist()[::4] == [-128, 127]
