# SPDX-License-Identifier: Apache-2.0
"""Adaptive vision transformer: groups of blocks whose last ones can be skipped.

Architecture after Dosovitskiy et al., An Image is Worth 16x16 Words (2021), with the mean of all positions in place of
a class token; depth modes after Kang & Lee, Adaptive Depth Networks with Skippable Sub-Paths (NeurIPS 2024): the norms
of mandatory blocks have twins. `dimmer.pipeline.networks.transformer` has the blocks, in both forms, and their sites;
those of the stem are patches and stem, of the head norm (with norms before), pool and logits.
"""

from __future__ import annotations

from torch import Tensor, nn

from dimmer.pipeline.networks.deployed import PooledHead, Tap
from dimmer.pipeline.networks.families.vit_config import ViTConfig
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.attention import Everywhere
from dimmer.pipeline.networks.layers.channel_norm import ChannelNorm, DeployedChannelNorm
from dimmer.pipeline.networks.layers.pooling import channel_means
from dimmer.pipeline.networks.network import Block, Network
from dimmer.pipeline.networks.transformer import BeforeBlock, BehindBlock, Positions
from dimmer.pipeline.networks.transformer_config import BEFORE


class Patches(nn.Module):
    """A convolution of a patch, the norm behind it where norms stand behind, and what is learnt of each position."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        width, before = config.widths[0], config.norms == BEFORE
        self.conv = nn.Conv2d(config.in_channels, width, config.patch, config.patch, bias=before)
        self.norm = None if before else nn.BatchNorm2d(width)
        self.positions = Positions(width, *config.grid)

    def forward(self, x: Tensor) -> Tensor:
        """Image float[N,C,H,W] -> float[N,width,H/patch,W/patch]."""
        y = self.conv(x)
        made: Tensor = self.positions(y if self.norm is None else self.norm(y))
        return made

    def deployed(self, fold: Folding) -> DeployedPatches:
        """The convolution on its grid, with the norm folded in."""
        conv = fold.biased(self.conv) if self.norm is None else fold.convolution("conv", self.conv, self.norm)
        return DeployedPatches(conv, self.positions)


class DeployedPatches(nn.Module):
    """A convolution without its bias, site "patches", and an addition, site "stem", of that and what is learnt of each
    position: a converter makes one of two constants that are added one after the other.
    """

    def __init__(self, conv: nn.Conv2d, positions: Positions) -> None:
        super().__init__()
        assert conv.bias is not None
        self.conv = conv
        self.values = nn.Parameter(positions.values.detach() + conv.bias.detach()[:, None, None])
        conv.bias = None

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W']."""
        return tap("stem", tap("patches", self.conv(x)) + self.values)


class NormedHead(nn.Module):
    """A layer norm, site "norm", before pooling and classifier."""

    def __init__(self, norm: ChannelNorm, fc: nn.Linear) -> None:
        super().__init__()
        self.norm, self.pooled = DeployedChannelNorm("norm", norm), PooledHead(fc)

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> logits float[N,classes]."""
        logits: Tensor = self.pooled(self.norm(x, tap), tap)
        return logits


def transformer_block(config: ViTConfig, skip_aware: bool) -> Block:
    """A block in the configuration's form."""
    if config.norms == BEFORE:
        return BeforeBlock(config.shape, Everywhere(config.heads), skip_aware)
    return BehindBlock(config.shape, Everywhere(config.heads), skip_aware, config.bits)


class ViT(Network):
    """Vision transformer whose depth is chosen call by call.

    Attributes:
        norm: before the pooling, where norms stand before; else None.
        fc: the classifier.
    """

    config: ViTConfig

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = self._stem(config)
        self.stages = nn.ModuleList(
            nn.ModuleList(
                transformer_block(config, b < mandatory and skippable > 0) for b in range(mandatory + skippable)
            )
            for mandatory, skippable in zip(config.mandatory, config.skippable, strict=True)
        )
        width = config.widths[0]
        self.norm = ChannelNorm(width) if config.norms == BEFORE else None
        self.fc = nn.Linear(width, config.classes)
        for module in self.stages.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.trunc_normal_(module.weight, std=module.in_channels**-0.5)

    def _stem(self, config: ViTConfig) -> nn.Module:
        return Patches(config)

    def classify(self, stream: Tensor) -> Tensor:
        """The mean of each channel, and a linear layer."""
        if self.norm is not None:
            stream = self.norm(stream)
        logits: Tensor = self.fc(channel_means(stream))
        return logits

    def deployed_stem(self, fold: Folding) -> nn.Module:
        """The patches on their grid."""
        assert isinstance(self.stem, Patches)
        return self.stem.deployed(fold)

    def deployed_head(self, fold: Folding) -> nn.Module:
        """The classifier with its weights on their grid, and the norm before it."""
        fc = fold.linear(self.fc)
        return PooledHead(fc) if self.norm is None else NormedHead(self.norm, fc)


NETWORK = ViT
