# SPDX-License-Identifier: Apache-2.0
"""Values as codes: near to the values, outliers or not, and the scale of training alone."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.pipeline.data.scale import InputScale, choose_joined_scale, choose_scale, parts_of


def test_codes_are_near_to_values_channel_by_channel() -> None:
    rng = np.random.default_rng(0)
    values = (rng.uniform(-1, 1, (50, 1, 20, 3)) * (1, 100, 1e-3) + (0, 500, 0)).astype(np.float32)
    scale = choose_scale(values, range(50))
    codes = scale.codes(values)
    assert codes.dtype == np.uint8
    assert (np.abs(scale.values(codes) - values).mean((0, 1, 2)) <= np.asarray(scale.step) * 0.27).all()
    assert scale.step[1] == pytest.approx(200 / 255, rel=0.01)


def test_a_few_outliers_saturate_where_that_serves_the_others() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, (400, 1, 100, 1)).astype(np.float32)
    values[0, 0, 0] = 60
    assert choose_scale(values, range(400)).step[0] < 0.01
    # What is not of training counts for nothing.
    values[1] = 1e6
    assert choose_scale(values, range(2, 400)).step[0] < 0.01


def test_a_channel_that_never_changes_is_in_the_middle() -> None:
    values = np.full((4, 1, 8, 1), 7.25, np.float32)
    scale = choose_scale(values, range(4))
    assert (scale.codes(values) == 128).all()


def test_sound_has_one_scale_around_zero() -> None:
    values = np.random.default_rng(0).uniform(-0.2, 0.7, (9, 1, 10, 4)).astype(np.float32)
    scale = choose_scale(values, range(9), shared=True)
    assert len(set(scale.step)) == 1
    assert scale.codes(np.zeros((1, 4), np.float32)).tolist() == [[128] * 4]


def test_what_lies_outside_saturates() -> None:
    codes = InputScale((0.0,), (1.0,)).codes(np.array([[-1e30], [-0.6], [0.49], [0.5], [254.6], [1e30]], np.float32))
    assert codes.ravel().tolist() == [0, 0, 0, 1, 255, 255]


def test_each_of_several_inputs_has_its_own_scale() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (50, 2, 3, 1))
    series = rng.standard_normal((50, 1, 4, 2)) * (1.0, 1e-3) + (0.0, 5.0)
    values = (
        np.concatenate([pixels.reshape(50, -1), series.reshape(50, -1)], 1).astype(np.float32).reshape(50, 1, 1, -1)
    )
    shapes = ((2, 3, 1), (1, 4, 2))
    found = choose_joined_scale(values, range(40), shapes, (True, False))
    codes = found.codes(values)
    assert codes.shape == (50, 1, 1, 14)
    first, second = parts_of(codes, shapes)
    assert (first == pixels).all()
    assert found.scales[0] is None
    alone = choose_scale(series.astype(np.float32), range(40))
    assert found.scales[1] == alone
    assert (second == alone.codes(series.astype(np.float32))).all()
