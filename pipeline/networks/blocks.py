"""Residual block of the CIFAR-style ResNets (He et al., 2016), with ReLU6 and switchable norms."""

from __future__ import annotations

from torch import Tensor, nn

from pipeline.networks.norm import SkipAwareNorm

Norm = nn.BatchNorm2d | SkipAwareNorm


def make_norm(channels: int, skip_aware: bool) -> Norm:
    """A norm with a twin where the stage can be skipped, else a plain one."""
    return SkipAwareNorm(channels) if skip_aware else nn.BatchNorm2d(channels)


def normalise(norm: Norm, x: Tensor, skipped: bool) -> Tensor:
    """Apply either kind of norm to float[N,C,H,W]."""
    y: Tensor = norm(x, skipped) if isinstance(norm, SkipAwareNorm) else norm(x)
    return y


def select_norm(norm: Norm, skipped: bool) -> nn.BatchNorm2d:
    """The batch norm in force: what is folded into the convolution before it."""
    return norm.select(skipped) if isinstance(norm, SkipAwareNorm) else norm


class Shortcut(nn.Module):
    """1x1 convolution and norm, where a block changes width or resolution."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, skip_aware: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
        self.norm = make_norm(out_channels, skip_aware)

    def forward(self, x: Tensor, skipped: bool) -> Tensor:
        return normalise(self.norm, self.conv(x), skipped)


class BasicBlock(nn.Module):
    """conv3x3, norm, ReLU6, conv3x3, norm, add the shortcut, ReLU6.

    Args:
        in_channels: channels of the input.
        out_channels: channels of both convolutions.
        stride: stride of the first convolution and of the shortcut.
        skip_aware: true for a mandatory block of a stage that can be skipped: all its norms, the
            shortcut's too, have twins. (The paper's code shares the shortcut's norm, which then
            averages the statistics of two networks.)
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, skip_aware: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = make_norm(out_channels, skip_aware)
        self.act1 = nn.ReLU6()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = make_norm(out_channels, skip_aware)
        self.shortcut: Shortcut | None = None
        if stride != 1 or in_channels != out_channels:
            self.shortcut = Shortcut(in_channels, out_channels, stride, skip_aware)
        self.act2 = nn.ReLU6()

    def forward(self, x: Tensor, skipped: bool) -> Tensor:
        """float[N,Cin,H,W] -> float[N,Cout,H/stride,W/stride]; ``skipped`` is the stage's skip flag."""
        residual = x if self.shortcut is None else self.shortcut(x, skipped)
        y = self.act1(normalise(self.norm1, self.conv1(x), skipped))
        y = normalise(self.norm2, self.conv2(y), skipped)
        out: Tensor = self.act2(y + residual)
        return out
