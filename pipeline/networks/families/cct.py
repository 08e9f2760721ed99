# SPDX-License-Identifier: Apache-2.0
"""Adaptive compact convolutional transformer: a tokenizer of convolutions, blocks of a ViT, a weighted mean.

Architecture after Hassani et al., Escaping the Big Data Paradigm with Compact Transformers (2021); depth modes after
Kang & Lee, Adaptive Depth Networks with Skippable Sub-Paths (NeurIPS 2024). Blocks and norms are those of the family
vit; the convolutions have batch norms and ReLU6 in both forms. Sites of the stem are tokens0/conv, tokens0 and so on,
the last pooled/conv and pooled, and stem; of the head norm (with norms before), weights, shares, pool and logits.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.networks.deployed import Tap
from dimmer.pipeline.networks.families.cct_config import CCTConfig
from dimmer.pipeline.networks.families.vit import ViT
from dimmer.pipeline.networks.families.vit_config import ViTConfig
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.attention import SOFTMAX_RANGE
from dimmer.pipeline.networks.layers.channel_norm import ChannelNorm, DeployedChannelNorm
from dimmer.pipeline.networks.layers.layout import keep_layout
from dimmer.pipeline.networks.layers.pooling import halved
from dimmer.pipeline.networks.transformer import Positions


class Tokenizer(nn.Module):
    """Convolutions, each with norm, ReLU6 and max pooling; and what is learnt of each position."""

    def __init__(self, config: CCTConfig) -> None:
        super().__init__()
        taps = config.taps
        made = [nn.Conv2d(i, o, taps, padding=taps // 2, bias=False) for i, o in pairwise(config.channels())]
        self.convs = nn.ModuleList(made)
        self.norms = nn.ModuleList(nn.BatchNorm2d(conv.out_channels) for conv in made)
        self.positions = Positions(config.widths[0], *config.grid)

    def forward(self, x: Tensor) -> Tensor:
        """Image float[N,C,H,W] -> float[N,width,H',W']."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = halved(F.relu6(norm(conv(x))))
        made: Tensor = self.positions(x)
        return made

    def deployed(self, fold: Folding) -> DeployedTokenizer:
        """The convolutions with their norms folded in."""
        layers = []
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            assert isinstance(conv, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            layers.append(fold.convolution(f"tokens{number}", conv, norm))
        return DeployedTokenizer(layers, self.positions)


class DeployedTokenizer(nn.Module):
    """Convolutions with max pooling, and an addition, site "stem"."""

    def __init__(self, layers: list[nn.Conv2d], positions: Positions) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.values = nn.Parameter(positions.values.detach().clone())

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W']."""
        for number, layer in enumerate(self.layers):
            x = tap(f"tokens{number}/conv", F.relu6(layer(x)))
            x = tap(f"tokens{number}", halved(x))
        return tap("stem", x + self.values)


def weighted_mean(x: Tensor, shares: Tensor) -> Tensor:
    """Positions float[N,C,H,W] with shares float[N,1,1,H x W] -> float[N,C]."""
    n, channels, height, width = x.shape
    keep_layout(x)
    mean = torch.matmul(x.reshape(n, 1, channels, height * width), shares.transpose(2, 3))
    return mean.reshape(n, channels)


class WeightedHead(nn.Module):
    """Sequence pooling: each position says how much it counts, site "shares"; then a linear layer."""

    ranges = {"shares": SOFTMAX_RANGE}  # noqa: RUF012 (read only)

    def __init__(self, norm: ChannelNorm | None, weigh: nn.Conv2d, fc: nn.Linear) -> None:
        super().__init__()
        self.norm = None if norm is None else DeployedChannelNorm("norm", norm)
        self.weigh, self.fc = weigh, fc

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> logits float[N,classes]."""
        x = x if self.norm is None else self.norm(x, tap)
        weights = tap("weights", self.weigh(x))
        shares = tap("shares", weights.reshape(len(x), 1, 1, -1).softmax(-1))
        return tap("logits", self.fc(tap("pool", weighted_mean(x, shares))))


class CCT(ViT):
    """Compact convolutional transformer whose depth is chosen call by call.

    Attributes:
        weigh: how much a position counts.
    """

    def __init__(self, config: CCTConfig) -> None:
        super().__init__(config)
        self.weigh = nn.Conv2d(config.widths[0], 1, 1)

    def _stem(self, config: ViTConfig) -> nn.Module:
        assert isinstance(config, CCTConfig)
        return Tokenizer(config)

    def classify(self, stream: Tensor) -> Tensor:
        """The weighted mean of all positions, and a linear layer."""
        if self.norm is not None:
            stream = self.norm(stream)
        shares = self.weigh(stream).reshape(len(stream), 1, 1, -1).softmax(-1)
        logits: Tensor = self.fc(weighted_mean(stream, shares))
        return logits

    def deployed_stem(self, fold: Folding) -> nn.Module:
        """The tokenizer on its grids."""
        assert isinstance(self.stem, Tokenizer)
        return self.stem.deployed(fold)

    def deployed_head(self, fold: Folding) -> nn.Module:
        """Weights of positions and of the classifier on their grids, and the norm before them."""
        return WeightedHead(self.norm, fold.biased(self.weigh), fold.linear(self.fc))


NETWORK = CCT
