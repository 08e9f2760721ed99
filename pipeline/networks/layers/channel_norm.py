# SPDX-License-Identifier: Apache-2.0
"""Layer norm over the channels of a position, with a twin where a stage can be skipped.

Its gamma scales what the next layer reads: folded forward it would give the weights of two modes other codes. So it
stays an operator of its own, and all modes read the same weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Families take it from `deployed`; here it would be a circle.
from dimmer.calibration.observe import Tap

EPSILON = 1e-5


class ChannelNorm(nn.Module):
    """Ba et al., Layer Normalization (2016), of each position's channels.

    Attributes:
        weight: gamma, float[C].
        bias: beta, float[C].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def select(self, skipped: bool) -> ChannelNorm:
        """Itself, in every state of its stage."""
        return self

    def forward(self, x: Tensor, skipped: bool = False) -> Tensor:
        """Normalise float[N,C,H,W]."""
        centred = x - x.mean(1, keepdim=True)
        scaled = centred * torch.rsqrt(centred.square().mean(1, keepdim=True) + EPSILON)
        return scaled * self.weight[:, None, None] + self.bias[:, None, None]


class SkipAwareChannelNorm(nn.Module):
    """Layer norm with a twin: gamma and beta for each state of the stage's sub-path; there are no statistics.

    Attributes:
        executed: the set used while the stage's skippable sub-path is executed.
        skipped: the set used while it is skipped.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.executed = ChannelNorm(channels)
        self.skipped = ChannelNorm(channels)

    def select(self, skipped: bool) -> ChannelNorm:
        """The set in force."""
        return self.skipped if skipped else self.executed

    def forward(self, x: Tensor, skipped: bool) -> Tensor:
        """Normalise float[N,C,H,W] with the set of this state."""
        y: Tensor = self.select(skipped)(x)
        return y


def make_channel_norm(channels: int, skip_aware: bool) -> ChannelNorm | SkipAwareChannelNorm:
    """A layer norm with a twin where the stage can be skipped, else a plain one."""
    return SkipAwareChannelNorm(channels) if skip_aware else ChannelNorm(channels)


class DeployedChannelNorm(nn.Module):
    """A layer norm as TFLite's operators compute it, each result a site: mean, centred, squares, variance, shifted,
    inverse, scaled, gained, and the result.

    Args:
        site: of the result; the others are called `<site>_mean` and so on.
    """

    def __init__(self, site: str, norm: ChannelNorm) -> None:
        super().__init__()
        self.site = site
        self.weight = nn.Parameter(norm.weight.detach().clone()[None, :, None, None])
        self.bias = nn.Parameter(norm.bias.detach().clone()[None, :, None, None])

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> the same shape."""
        mean = tap(f"{self.site}_mean", x.mean(1, keepdim=True))
        centred = tap(f"{self.site}_centred", x - mean)
        squares = tap(f"{self.site}_squares", centred * centred)
        variance = tap(f"{self.site}_variance", squares.mean(1, keepdim=True))
        shifted = tap(f"{self.site}_shifted", variance + EPSILON)
        if torch.onnx.is_in_onnx_export():
            # A division by a root becomes RSQRT; the root's reciprocal would become a division.
            scaled = centred / torch.sqrt(shifted)
        else:
            scaled = centred * tap(f"{self.site}_inverse", torch.rsqrt(shifted))
        scaled = tap(f"{self.site}_scaled", scaled)
        gained = tap(f"{self.site}_gained", scaled * self.weight)
        return tap(self.site, gained + self.bias)
