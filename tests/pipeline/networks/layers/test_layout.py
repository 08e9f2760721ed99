# SPDX-License-Identifier: Apache-2.0
"""Gradients keep the layout of what they belong to, or batch norms go back through a slow path."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from dimmer.pipeline.networks.families.cct import weighted_mean
from dimmer.pipeline.networks.layers.attention import attend
from dimmer.pipeline.networks.layers.layout import keep_layout
from dimmer.pipeline.networks.layers.pooling import channel_means


def made(*shape: int) -> Tensor:
    return torch.randn(*shape, requires_grad=True).contiguous(memory_format=torch.channels_last)


def gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Of the sum of squares, as what is before ``x`` gets it."""
    seen: list[Tensor] = []
    y = function(x)
    x.register_hook(seen.append)
    y.square().sum().backward()
    return seen[0]


def is_channels_last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last)


def weighed(x: Tensor) -> Tensor:
    return weighted_mean(x, torch.rand(4, 1, 1, 20))


def attended(x: Tensor) -> Tensor:
    return attend(x, x, x, 2)


def pooled(x: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(x, 1).flatten(1)


def pooled_in_layout(x: Tensor) -> Tensor:
    keep_layout(x)
    return pooled(x)


@pytest.mark.parametrize("function", [channel_means, weighed, attended, pooled_in_layout])
def test_gradients_keep_the_layout(function: Callable[[Tensor], Tensor]) -> None:
    assert is_channels_last(gradient(function, made(4, 6, 4, 5)))


def test_without_it_they_do_not() -> None:
    assert not is_channels_last(gradient(pooled, made(4, 6, 4, 5)))


def test_other_layouts_and_all_values_stay() -> None:
    x = made(4, 6, 4, 5)
    rows = x.detach().contiguous().requires_grad_()
    keep_layout(x.detach())
    expected = gradient(pooled, rows * 1)
    found = gradient(pooled_in_layout, rows * 1)
    assert not is_channels_last(found)
    assert torch.equal(found, expected)
    torch.testing.assert_close(gradient(pooled_in_layout, x), expected)
