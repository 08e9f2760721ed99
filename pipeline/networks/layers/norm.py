# SPDX-License-Identifier: Apache-2.0
"""Skip-aware batch norm (Kang & Lee, Adaptive Depth Networks with Skippable Sub-Paths, NeurIPS 2024)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dimmer.pipeline.networks.layers.channel_norm import SkipAwareChannelNorm
from dimmer.pipeline.networks.layers.limits import MIN_GAMMA


class SkipAwareNorm(nn.Module):
    """Batch norm with a twin: one set of gamma, beta and statistics for each state of the stage's sub-path.

    Attributes:
        executed: the set used while the stage's skippable sub-path is executed.
        skipped: the set used while it is skipped.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.executed = nn.BatchNorm2d(channels)
        self.skipped = nn.BatchNorm2d(channels)

    def select(self, skipped: bool) -> nn.BatchNorm2d:
        """The set in force: what is folded into the convolution before it."""
        return self.skipped if skipped else self.executed

    def forward(self, x: Tensor, skipped: bool) -> Tensor:
        """Normalise float[N,C,H,W] with the set of this state."""
        y: Tensor = self.select(skipped)(x)
        return y


class BitNorm(nn.Module):
    """One norm for each width of its block: narrow weights and activations have statistics of their own.

    After Jin et al., AdaBits (2020) and Yu et al., Any-Precision DNNs (2021). A pair of different bits has its own,
    too: what a convolution writes depends on its weights' and on its inputs' levels.

    Args:
        norms: width -> a plain or skip-aware norm.
    """

    def __init__(self, norms: Mapping[int, nn.BatchNorm2d | SkipAwareNorm]) -> None:
        super().__init__()
        self.of_bits = nn.ModuleDict({str(bits): norm for bits, norm in norms.items()})

    def at(self, bits: int) -> nn.BatchNorm2d | SkipAwareNorm:
        """The norm of a width."""
        norm = self.of_bits[str(bits)]
        assert isinstance(norm, nn.BatchNorm2d | SkipAwareNorm)
        return norm


def share_norms(network: nn.Module) -> None:
    """Put a plain norm in place of every skip-aware one of an untrained network: the paper's ablation."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, SkipAwareNorm | SkipAwareChannelNorm):
                setattr(parent, name, child.executed)


def clamp_gammas(network: nn.Module, minimum: float = MIN_GAMMA) -> None:
    """Raise every batch-norm gamma to at least ``minimum``, in place; call after each optimizer step."""
    gammas: list[Tensor] = [module.weight for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if gammas:
        with torch.no_grad():
            torch._foreach_clamp_min_(gammas, minimum)
