# SPDX-License-Identifier: Apache-2.0
"""Adaptive CIFAR-style ResNet: three or more stages whose last blocks can be skipped.

Architecture after He et al., Deep Residual Learning (2016), section 4.2, with 1x1 shortcuts and ReLU6; depth
modes after Kang & Lee, Adaptive Depth Networks with Skippable Sub-Paths (NeurIPS 2024). ReLU6 bounds every
activation, so the same range serves all modes at the block boundaries.

The sites of a block are in, conv1, conv2, shortcut and out.
"""

from __future__ import annotations

import copy

from torch import Tensor, nn

from dimmer.pipeline.modes.mode import FULL_BITS
from dimmer.pipeline.networks.deployed import ConvStem, DeployedBlock, PooledHead, Tap
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.blocks import convolve, make_norm, normalise
from dimmer.pipeline.networks.layers.pooling import channel_means
from dimmer.pipeline.networks.layers.quantisers import quantise_activation
from dimmer.pipeline.networks.network import Block, Network

Kernel = tuple[int, int]


def _around(kernel: Kernel) -> tuple[int, int]:
    """The padding with which a kernel keeps the size."""
    return kernel[0] // 2, kernel[1] // 2


class Stem(nn.Module):
    """conv3x3, norm, ReLU6: shared by all modes."""

    def __init__(self, in_channels: int, out_channels: int, kernel: Kernel = (3, 3), stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, _around(kernel), bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU6()

    def forward(self, x: Tensor) -> Tensor:
        """float[N,Cin,H,W] -> float[N,Cout,H,W]."""
        y: Tensor = self.act(self.norm(self.conv(x)))
        return y


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
        return normalise(self.norm, convolve(self.conv, x, bits), skipped, bits)


class BasicBlock(Block):
    """conv3x3, norm, ReLU6, conv3x3, norm, add the shortcut, ReLU6.

    Args:
        in_channels: channels of the input.
        out_channels: channels of both convolutions.
        stride: stride of the first convolution and of the shortcut.
        skip_aware: true for a mandatory block of a stage that can be skipped: all its norms, the
            shortcut's too, have twins. (The paper's code shares the shortcut's norm, which then
            averages the statistics of two networks.)
        widths: bit-widths that the block can run with.
        kernel: height and width of both convolutions.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        skip_aware: bool,
        widths: tuple[int, ...] = (FULL_BITS,),
        kernel: Kernel = (3, 3),
    ) -> None:
        super().__init__()
        around = _around(kernel)
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=around, bias=False)
        self.norm1 = make_norm(out_channels, skip_aware, widths)
        self.act1 = nn.ReLU6()
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel, padding=around, bias=False)
        self.norm2 = make_norm(out_channels, skip_aware, widths)
        self.shortcut: Shortcut | None = None
        if stride != 1 or in_channels != out_channels:
            self.shortcut = Shortcut(in_channels, out_channels, stride, skip_aware, widths)
        self.act2 = nn.ReLU6()

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """float[N,Cin,H,W] -> float[N,Cout,H/stride,W/stride]; an identity shortcut passes the stream on as it is."""
        entry = quantise_activation(x, bits)
        residual = x if self.shortcut is None else self.shortcut(entry, skipped, bits)
        y = self.act1(normalise(self.norm1, convolve(self.conv1, entry, bits), skipped, bits))
        y = quantise_activation(y, bits)
        y = normalise(self.norm2, convolve(self.conv2, y, bits), skipped, bits)
        out: Tensor = self.act2(y + residual)
        return out

    def deployed(self, fold: Folding) -> DeployedBasicBlock:
        """Convolutions with biases; entry and inner tensor lie on the grid of a narrow width."""
        fold.rounded("in", copy=True)
        fold.rounded("conv1")
        conv1 = fold.convolution("conv1", self.conv1, self.norm1, reads="in")
        conv2 = fold.convolution("conv2", self.conv2, self.norm2, reads="conv1")
        shortcut = None
        if self.shortcut is not None:
            shortcut = fold.convolution("shortcut", self.shortcut.conv, self.shortcut.norm, reads="in")
        return DeployedBasicBlock(fold.name, fold.bits, conv1, conv2, shortcut)


class DeployedBasicBlock(DeployedBlock):
    """A `BasicBlock` of plain convolutions."""

    def __init__(self, name: str, bits: int, conv1: nn.Conv2d, conv2: nn.Conv2d, shortcut: nn.Conv2d | None) -> None:
        super().__init__(name, bits)
        self.conv1, self.act1 = conv1, nn.ReLU6()
        self.conv2, self.act2 = conv2, nn.ReLU6()
        self.shortcut = shortcut

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W']."""
        entry = tap(f"{self.name}.in", self.rounded(x)) if self.narrow else x
        residual = x if self.shortcut is None else tap(f"{self.name}.shortcut", self.shortcut(entry))
        y = tap(f"{self.name}.conv1", self.rounded(self.act1(self.conv1(entry))))
        y = tap(f"{self.name}.conv2", self.conv2(y))
        return tap(f"{self.name}.out", self.act2(y + residual))


class ResNet(Network):
    """Residual network whose depth is chosen call by call.

    Attributes:
        fc: the classifier.
        base_fc: the base-net's own; None where it shares that one.
    """

    config: ResNetConfig
    stem: Stem

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = self._stem(config)
        stages = []
        channels = config.stem_channels
        for s, (width, mandatory, skippable) in enumerate(
            zip(config.widths, config.mandatory, config.skippable, strict=True)
        ):
            blocks = []
            for b in range(mandatory + skippable):
                stride = config.stage_strides[s] if b == 0 else 1
                twins = b < mandatory and skippable > 0
                blocks.append(self._block(config, channels, width, stride, twins))
                channels = width
            stages.append(nn.ModuleList(blocks))
        self.stages = nn.ModuleList(stages)
        self.fc = nn.Linear(channels, config.classes)
        self.base_fc: nn.Linear | None = None
        self._initialise()

    def _stem(self, config: ResNetConfig) -> Stem:
        return Stem(config.in_channels, config.stem_channels, config.kernel)

    def _block(self, config: ResNetConfig, channels: int, width: int, stride: int, skip_aware: bool) -> Block:
        return BasicBlock(channels, width, stride, skip_aware, config.bits, config.kernel)

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def classify(self, stream: Tensor) -> Tensor:
        """The mean of each channel, and a linear layer."""
        logits: Tensor = self.fc(channel_means(stream))
        return logits

    def add_base_classifier(self) -> None:
        """The base-net's classifier begins with the weights of the other."""
        self.base_fc = copy.deepcopy(self.fc)

    def classify_base(self, stream: Tensor) -> Tensor:
        """As `classify`, with the base-net's own layer."""
        assert self.base_fc is not None
        logits: Tensor = self.base_fc(channel_means(stream))
        return logits

    def deployed_stem(self, fold: Folding) -> nn.Module:
        """The convolution with its norm folded in."""
        return ConvStem(fold.convolution("conv", self.stem.conv, self.stem.norm))

    def deployed_head(self, fold: Folding) -> PooledHead:
        """The classifier with its weights on their grid."""
        return PooledHead(fold.linear(self.fc))


NETWORK = ResNet
