"""Residual block of the CIFAR-style ResNets (He et al., 2016), with ReLU6, switchable norms and nested bit-widths."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.modes.mode import FULL_BITS
from dimmer.pipeline.networks.layers.norm import BitNorm, SkipAwareNorm
from dimmer.pipeline.networks.layers.quantisers import quantise_activation, quantise_weight

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


def convolution_weight(conv: nn.Conv2d, bits: int) -> Tensor:
    """The weight at a width; at 8 bits the float weight, whose grid is finer than it matters."""
    return conv.weight if bits == FULL_BITS else quantise_weight(conv.weight, bits)


def convolve(conv: nn.Conv2d, x: Tensor, bits: int) -> Tensor:
    """The convolution with its weight at a width."""
    if bits == FULL_BITS:
        y: Tensor = conv(x)
        return y
    return F.conv2d(x, convolution_weight(conv, bits), None, conv.stride, conv.padding)


class Shortcut(nn.Module):
    """1x1 convolution and norm, where a block changes width or resolution."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        skip_aware: bool,
        widths: tuple[int, ...] = (FULL_BITS,),
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
        self.norm = make_norm(out_channels, skip_aware, widths)

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """float[N,Cin,H,W] -> float[N,Cout,H/stride,W/stride]."""
        if not torch.is_grad_enabled():
            return normalise(self.norm, convolve(self.conv, x, bits), skipped, bits)
        # The pixels are picked first: oneDNN's backward pass of a strided 1x1 convolution corrupts the heap on CPUs
        # with AVX2 alone where there are fewer than 8 channels.
        stride = self.conv.stride[0]
        y = F.conv2d(x[:, :, ::stride, ::stride], convolution_weight(self.conv, bits))
        return normalise(self.norm, y, skipped, bits)


class BasicBlock(nn.Module):
    """conv3x3, norm, ReLU6, conv3x3, norm, add the shortcut, ReLU6.

    Args:
        in_channels: channels of the input.
        out_channels: channels of both convolutions.
        stride: stride of the first convolution and of the shortcut.
        skip_aware: true for a mandatory block of a stage that can be skipped: all its norms, the
            shortcut's too, have twins. (The paper's code shares the shortcut's norm, which then
            averages the statistics of two networks.)
        widths: bit-widths that the block can run with.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        skip_aware: bool,
        widths: tuple[int, ...] = (FULL_BITS,),
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = make_norm(out_channels, skip_aware, widths)
        self.act1 = nn.ReLU6()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = make_norm(out_channels, skip_aware, widths)
        self.shortcut: Shortcut | None = None
        if stride != 1 or in_channels != out_channels:
            self.shortcut = Shortcut(in_channels, out_channels, stride, skip_aware, widths)
        self.act2 = nn.ReLU6()

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """float[N,Cin,H,W] -> float[N,Cout,H/stride,W/stride].

        Args:
            x: the residual stream, which stays at 8 bits: an identity shortcut passes it on as it is.
            skipped: the stage's skip flag.
            bits: width of the convolutions' weights and inputs.
        """
        entry = quantise_activation(x, bits)
        residual = x if self.shortcut is None else self.shortcut(entry, skipped, bits)
        y = self.act1(normalise(self.norm1, convolve(self.conv1, entry, bits), skipped, bits))
        y = quantise_activation(y, bits)
        y = normalise(self.norm2, convolve(self.conv2, y, bits), skipped, bits)
        out: Tensor = self.act2(y + residual)
        return out
