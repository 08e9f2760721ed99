# SPDX-License-Identifier: Apache-2.0
"""Adaptive ResNet of bottleneck blocks, as ResNet-50 is.

Architecture after He et al., Deep Residual Learning (2016), with the stride in the 3x3 convolution and ReLU6; its
split into sub-paths after Kang & Lee, Adaptive Depth Networks with Skippable Sub-Paths (NeurIPS 2024): all norms of
mandatory blocks have twins, the shortcut's too.

The sites of a block are in, reduce, conv, restore, shortcut and out; of the stem "stem/conv" where it is pooled, whose
range is that of "stem".
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.modes.mode import FULL_BITS
from dimmer.pipeline.networks.deployed import ConvStem, DeployedBlock, Tap
from dimmer.pipeline.networks.families.resnet import ResNet, Shortcut, Stem
from dimmer.pipeline.networks.families.resnet_bottleneck_config import ResNetBottleneckConfig
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.blocks import convolve, make_norm, normalise
from dimmer.pipeline.networks.layers.pooling import halved
from dimmer.pipeline.networks.layers.quantisers import quantise_activation
from dimmer.pipeline.networks.network import Block


class Bottleneck(Block):
    """1x1, norm, ReLU6, 3x3, norm, ReLU6, 1x1, norm, add the shortcut, ReLU6.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        inner: channels of the 3x3 convolution.
        stride: of the 3x3 convolution and of the shortcut.
        skip_aware: whether its norms have twins.
        widths: bit-widths that the block can run with.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        inner: int,
        stride: int,
        skip_aware: bool,
        widths: tuple[int, ...] = (FULL_BITS,),
    ) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(in_channels, inner, 1, bias=False)
        self.reduce_norm = make_norm(inner, skip_aware, widths)
        self.conv = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.conv_norm = make_norm(inner, skip_aware, widths)
        self.restore = nn.Conv2d(inner, out_channels, 1, bias=False)
        self.restore_norm = make_norm(out_channels, skip_aware, widths)
        changes = stride != 1 or in_channels != out_channels
        self.shortcut = Shortcut(in_channels, out_channels, stride, skip_aware, widths) if changes else None

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """float[N,Cin,H,W] -> float[N,Cout,H/stride,W/stride]; narrow as in a basic block."""
        entry = quantise_activation(x, bits)
        residual = x if self.shortcut is None else self.shortcut(entry, skipped, bits)
        y = F.relu6(normalise(self.reduce_norm, convolve(self.reduce, entry, bits), skipped, bits))
        y = convolve(self.conv, quantise_activation(y, bits), bits)
        y = F.relu6(normalise(self.conv_norm, y, skipped, bits))
        y = convolve(self.restore, quantise_activation(y, bits), bits)
        return F.relu6(normalise(self.restore_norm, y, skipped, bits) + residual)

    def deployed(self, fold: Folding) -> DeployedBottleneck:
        """Convolutions with biases; entry and inner tensors lie on the grid of a narrow width."""
        fold.rounded("in", copy=True)
        fold.rounded("reduce")
        fold.rounded("conv")
        reduce = fold.convolution("reduce", self.reduce, self.reduce_norm, reads="in")
        conv = fold.convolution("conv", self.conv, self.conv_norm, reads="reduce")
        restore = fold.convolution("restore", self.restore, self.restore_norm, reads="conv")
        shortcut = None
        if self.shortcut is not None:
            shortcut = fold.convolution("shortcut", self.shortcut.conv, self.shortcut.norm, reads="in")
        return DeployedBottleneck(fold.name, fold.bits, reduce, conv, restore, shortcut)


class DeployedBottleneck(DeployedBlock):
    """A `Bottleneck` of plain convolutions."""

    def __init__(
        self,
        name: str,
        bits: int,
        reduce: nn.Conv2d,
        conv: nn.Conv2d,
        restore: nn.Conv2d,
        shortcut: nn.Conv2d | None,
    ) -> None:
        super().__init__(name, bits)
        self.reduce, self.conv, self.restore, self.shortcut = reduce, conv, restore, shortcut

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W']."""
        entry = tap(f"{self.name}.in", self.rounded(x)) if self.narrow else x
        residual = x if self.shortcut is None else tap(f"{self.name}.shortcut", self.shortcut(entry))
        y = tap(f"{self.name}.reduce", self.rounded(F.relu6(self.reduce(entry))))
        y = tap(f"{self.name}.conv", self.rounded(F.relu6(self.conv(y))))
        y = tap(f"{self.name}.restore", self.restore(y))
        return tap(f"{self.name}.out", F.relu6(y + residual))


class PooledStem(Stem):
    """conv, norm, ReLU6, max pooling of 3x3 with a stride of 2: shared by all modes."""

    def forward(self, x: Tensor) -> Tensor:
        """float[N,Cin,H,W] -> float[N,Cout,H',W']."""
        return halved(super().forward(x))


class DeployedPooledStem(nn.Module):
    """A convolution and ReLU6, site "stem/conv", and max pooling, site "stem"."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W']."""
        return tap("stem", halved(tap("stem/conv", F.relu6(self.conv(x)))))


class ResNetBottleneck(ResNet):
    """Residual network of bottlenecks whose depth is chosen call by call."""

    def __init__(self, config: ResNetBottleneckConfig) -> None:
        super().__init__(config)

    def _stem(self, config: ResNetConfig) -> Stem:
        assert isinstance(config, ResNetBottleneckConfig)
        made = PooledStem if config.pool else Stem
        return made(config.in_channels, config.stem, (config.stem_taps,) * 2, config.stem_stride)

    def _block(self, config: ResNetConfig, channels: int, width: int, stride: int, skip_aware: bool) -> Block:
        assert isinstance(config, ResNetBottleneckConfig)
        return Bottleneck(channels, width, width // config.ratio, stride, skip_aware, config.bits)

    def deployed_stem(self, fold: Folding) -> nn.Module:
        """The convolution with its norm folded in, pooled or not."""
        conv = fold.convolution("conv", self.stem.conv, self.stem.norm)
        return DeployedPooledStem(conv) if isinstance(self.stem, PooledStem) else ConvStem(conv)


NETWORK = ResNetBottleneck
