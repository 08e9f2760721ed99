# SPDX-License-Identifier: Apache-2.0
"""What blocks are made of: norms by state and width, convolutions at a width."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dimmer.pipeline.networks.layers.blocks import (
    Norm,
    convolve,
    make_norm,
    normalise,
    parameters_in_force,
    select_norm,
)
from dimmer.pipeline.networks.layers.norm import BitNorm, SkipAwareNorm
from dimmer.pipeline.networks.layers.quantisers import quantise_weight


def every_norm() -> list[Norm]:
    return [make_norm(3, twins, widths) for twins in (False, True) for widths in ((8,), (8, 4))]


def test_a_norm_is_as_large_as_its_block_needs() -> None:
    plain, wide, twin, wide_twin = every_norm()
    assert isinstance(plain, nn.BatchNorm2d)
    assert isinstance(twin, SkipAwareNorm)
    assert isinstance(wide, BitNorm)
    assert isinstance(wide_twin, BitNorm)
    assert isinstance(wide.at(4), nn.BatchNorm2d)
    assert isinstance(wide_twin.at(4), SkipAwareNorm)


@pytest.mark.parametrize(("which", "sets"), [(0, 1), (1, 2), (2, 2), (3, 4)])
def test_there_is_one_batch_norm_for_each_state_and_width_that_is_told_apart(which: int, sets: int) -> None:
    norm = every_norm()[which]
    found = {id(select_norm(norm, skipped, bits)) for skipped in (False, True) for bits in (8, 4 if which % 2 else 8)}
    assert len(found) == sets


def test_normalising_is_the_selected_norm() -> None:
    norm, x = make_norm(3, True, (8, 4)).eval(), torch.randn(2, 3, 4, 4)
    nn.init.constant_(select_norm(norm, True, 4).bias, 2.0)
    torch.testing.assert_close(normalise(norm, x, True, 4), x + 2, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(normalise(norm, x, False, 4), x, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (1, 1), (1, 2)])
@pytest.mark.parametrize("trained", [True, False])
def test_a_convolution_has_its_weight_at_the_width(bits: int, kernel: int, stride: int, trained: bool) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 6, kernel, stride, kernel // 2, groups=2, bias=False)
    x = torch.randn(2, 4, 7, 5)
    weight = conv.weight if bits == 8 else quantise_weight(conv.weight, bits)
    with torch.set_grad_enabled(trained):
        torch.testing.assert_close(convolve(conv, x, bits), F.conv2d(x, weight, None, stride, kernel // 2, groups=2))


def test_parameters_in_force_are_those_that_get_gradients() -> None:
    block = nn.ModuleList([nn.Conv2d(3, 3, 1, bias=False), make_norm(3, True, (8, 4))])
    conv, norm = block
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, BitNorm)
    normalise(norm, convolve(conv, torch.randn(2, 3, 4, 4), 4), True, 4).pow(2).sum().backward()
    assert set(parameters_in_force(block, True, 4)) == {p for p in block.parameters() if p.grad is not None}
