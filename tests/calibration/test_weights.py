# SPDX-License-Identifier: Apache-2.0
"""Fact 1 of the design: folding any norm with positive gains leaves the int8 codes alone."""

import pytest
import torch

from dimmer.calibration.weights import fold_norm, from_grid, to_grid


def test_codes_survive_folding_of_any_positive_norm() -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(8, 4, 3, 3, generator=generator)
    codes, scale = to_grid(weight)
    assert codes.abs().flatten(1).amax(1).tolist() == [127] * 8
    for seed in range(5):
        g = torch.Generator().manual_seed(seed)
        mean, var = torch.randn(8, generator=g), torch.rand(8, generator=g) + 0.1
        gamma, beta = torch.rand(8, generator=g) + 0.02, torch.randn(8, generator=g)
        folded_scale, _ = fold_norm(scale, None, mean, var, gamma, beta, 1e-5)
        again, _ = to_grid(from_grid(codes, folded_scale))
        assert torch.equal(again, codes)


def test_folding_equals_the_norm() -> None:
    g = torch.Generator().manual_seed(1)
    conv = torch.nn.Conv2d(3, 5, 3, bias=False)
    norm = torch.nn.BatchNorm2d(5).eval()
    norm.running_mean, norm.running_var = torch.randn(5, generator=g), torch.rand(5, generator=g) + 0.5
    codes, scale = to_grid(conv.weight)
    conv.weight.data = from_grid(codes, scale)
    x = torch.randn(2, 3, 8, 8, generator=g)
    s, b = fold_norm(scale, None, norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.eps)
    folded = torch.nn.functional.conv2d(x, from_grid(codes, s), b.float())
    assert torch.allclose(folded, norm(conv(x)), atol=1e-5)


def test_a_channel_that_died_has_one_code_that_is_next_to_nothing() -> None:
    weight = torch.zeros(3, 2, 3, 3)
    weight[1] = 3e-9
    weight[2] = 0.5
    codes, scale = to_grid(weight)
    assert codes[:2].flatten(1).tolist() == [[127] + [0] * 17] * 2
    assert (codes[2] == 127).all()
    assert float(from_grid(codes, scale)[:2].abs().max()) <= 1.01e-6


def test_a_negative_gamma_is_refused_by_name() -> None:
    one = torch.ones(3)
    with pytest.raises(ValueError, match="gamma of channel 1"):
        fold_norm(one.double(), None, one, one, torch.tensor([1.0, -0.5, 1.0]), one, 1e-5)
