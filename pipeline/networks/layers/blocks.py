# SPDX-License-Identifier: Apache-2.0
"""What blocks are made of: convolutions whose weights are nested in width, and the norm in force behind each."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.modes.mode import FULL_BITS
from dimmer.pipeline.networks.layers.channel_norm import SkipAwareChannelNorm
from dimmer.pipeline.networks.layers.norm import BitNorm, SkipAwareNorm
from dimmer.pipeline.networks.layers.quantisers import quantise_weight

Norm = nn.BatchNorm2d | SkipAwareNorm | BitNorm


def make_norm(channels: int, skip_aware: bool, widths: tuple[int, ...] = (FULL_BITS,)) -> Norm:
    """A norm with a twin where the stage can be skipped, else a plain one; one such for each bit-width."""

    def one() -> nn.BatchNorm2d | SkipAwareNorm:
        return SkipAwareNorm(channels) if skip_aware else nn.BatchNorm2d(channels)

    return one() if widths == (FULL_BITS,) else BitNorm({bits: one() for bits in widths})


def select_norm(norm: Norm, skipped: bool, bits: int = FULL_BITS) -> nn.BatchNorm2d:
    """The batch norm in force: what is folded into the convolution before it."""
    of_width = norm.at(bits) if isinstance(norm, BitNorm) else norm
    return of_width.select(skipped) if isinstance(of_width, SkipAwareNorm) else of_width


def normalise(norm: Norm, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
    """Apply the norm in force to float[N,C,H,W]."""
    y: Tensor = select_norm(norm, skipped, bits)(x)
    return y


def convolve(conv: nn.Conv2d, x: Tensor, bits: int) -> Tensor:
    """The convolution, without a bias, with its weight at a width; at 8 bits that is the float weight, whose grid is
    finer than it matters.
    """
    if conv.kernel_size == (1, 1) and conv.stride != (1, 1) and torch.is_grad_enabled():
        # The pixels are picked first: oneDNN's backward pass of a strided 1x1 convolution corrupts the heap on CPUs
        # with AVX2 alone where there are fewer than 8 channels.
        down, across = conv.stride
        weight = conv.weight if bits == FULL_BITS else quantise_weight(conv.weight, bits)
        return F.conv2d(x[:, :, ::down, ::across], weight, groups=conv.groups)
    if bits == FULL_BITS:
        y: Tensor = conv(x)
        return y
    return F.conv2d(x, quantise_weight(conv.weight, bits), None, conv.stride, conv.padding, groups=conv.groups)


def parameters_in_force(module: nn.Module, skipped: bool, bits: int) -> Iterator[nn.Parameter]:
    """The parameters that a block reads in this state of its stage and at this width: all but other states' norms."""
    if isinstance(module, Norm):
        yield from select_norm(module, skipped, bits).parameters()
        return
    if isinstance(module, SkipAwareChannelNorm):
        yield from module.select(skipped).parameters()
        return
    yield from module.parameters(recurse=False)
    for child in module.children():
        yield from parameters_in_force(child, skipped, bits)
