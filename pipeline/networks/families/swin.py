# SPDX-License-Identifier: Apache-2.0
"""Adaptive Swin transformer: stages of windowed attention whose last blocks can be skipped.

Architecture after Liu et al., Swin Transformer: Hierarchical Vision Transformer using Shifted Windows (2021); depth
modes after Kang & Lee, Adaptive Depth Networks with Skippable Sub-Paths (NeurIPS 2024): norms of mandatory blocks have
twins. The merging of patches belongs to the first block of the stage that it opens, and its norm follows that stage's
flag. `dimmer.pipeline.networks.transformer` has the blocks, in both forms, and their sites; the stem's is stem, the
head's are norm (with norms before), pool and logits.
"""

from __future__ import annotations

from torch import Tensor, nn

from dimmer.pipeline.networks.deployed import PooledHead, Tap
from dimmer.pipeline.networks.families.swin_config import SwinConfig
from dimmer.pipeline.networks.families.vit import NormedHead
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.channel_norm import ChannelNorm, DeployedChannelNorm
from dimmer.pipeline.networks.layers.pooling import channel_means
from dimmer.pipeline.networks.layers.windows import Windows
from dimmer.pipeline.networks.network import Block, Network
from dimmer.pipeline.networks.transformer import BeforeBlock, BehindBlock
from dimmer.pipeline.networks.transformer_config import BEFORE


class SwinStem(nn.Module):
    """A convolution of a patch, and a norm: a layer norm as published, or a batch norm."""

    def __init__(self, config: SwinConfig) -> None:
        super().__init__()
        width, before = config.widths[0], config.norms == BEFORE
        self.conv = nn.Conv2d(config.in_channels, width, config.patch, config.patch, bias=before)
        self.norm: ChannelNorm | nn.BatchNorm2d = ChannelNorm(width) if before else nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Image float[N,C,H,W] -> float[N,width,H/patch,W/patch]."""
        y: Tensor = self.norm(self.conv(x))
        return y

    def deployed(self, fold: Folding) -> DeployedSwinStem:
        """The convolution on its grid; a batch norm is folded in."""
        if isinstance(self.norm, nn.BatchNorm2d):
            return DeployedSwinStem(fold.convolution("conv", self.conv, self.norm), None)
        return DeployedSwinStem(fold.biased(self.conv), DeployedChannelNorm("stem", self.norm))


class DeployedSwinStem(nn.Module):
    """A convolution, site "patches" where a layer norm follows, whose site is "stem"."""

    def __init__(self, conv: nn.Conv2d, norm: DeployedChannelNorm | None) -> None:
        super().__init__()
        self.conv, self.norm = conv, norm

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W']."""
        if self.norm is None:
            return tap("stem", self.conv(x))
        y: Tensor = self.norm(tap("patches", self.conv(x)), tap)
        return y


class Swin(Network):
    """Swin transformer whose depth is chosen call by call.

    Attributes:
        norm: before the pooling, where norms stand before; else None.
        fc: the classifier.
    """

    config: SwinConfig
    stem: SwinStem

    def __init__(self, config: SwinConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = SwinStem(config)
        counts = [m + s for m, s in zip(config.mandatory, config.skippable, strict=True)]
        self.stages = nn.ModuleList(
            nn.ModuleList(self._block(s, b) for b in range(count)) for s, count in enumerate(counts)
        )
        self.norm = ChannelNorm(config.widths[-1]) if config.norms == BEFORE else None
        self.fc = nn.Linear(config.widths[-1], config.classes)
        for module in self.stages.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.trunc_normal_(module.weight, std=module.weight[0].numel() ** -0.5)

    def _block(self, stage: int, block: int) -> Block:
        config = self.config
        twins = block < config.mandatory[stage] and config.skippable[stage] > 0
        pattern = Windows(config.heads[stage], config.window, config.shift(stage, block), config.grids()[stage])
        merges = config.widths[stage - 1] if stage and not block else 0
        if config.norms == BEFORE:
            return BeforeBlock(config.shape(stage), pattern, twins, merges)
        return BehindBlock(config.shape(stage), pattern, twins, config.bits, merges)

    def classify(self, stream: Tensor) -> Tensor:
        """The mean of each channel, and a linear layer."""
        if self.norm is not None:
            stream = self.norm(stream)
        logits: Tensor = self.fc(channel_means(stream))
        return logits

    def deployed_stem(self, fold: Folding) -> nn.Module:
        """The patches on their grid."""
        return self.stem.deployed(fold)

    def deployed_head(self, fold: Folding) -> nn.Module:
        """The classifier with its weights on their grid, and the norm before it."""
        fc = fold.linear(self.fc)
        return PooledHead(fc) if self.norm is None else NormedHead(self.norm, fc)


NETWORK = Swin
