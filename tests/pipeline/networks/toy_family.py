# SPDX-License-Identifier: Apache-2.0
"""A family of its own for tests: depthwise-separable blocks, whose residual is the identity or nothing.

Everything that a family needs stands here; `register("toy", __name__)` is all that Dimmer is told of it. Unlike the
shipped networks it halves the resolution in the stem, has a key of its own in [model], blocks without an addition, and
narrow blocks whose entry stays at 8 bits: only the pointwise convolution is narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.core.checks import require
from dimmer.pipeline.modes.mode import FULL_BITS, NetworkCost
from dimmer.pipeline.networks.deployed import ConvStem, DeployedBlock, PooledHead, Tap
from dimmer.pipeline.networks.family import NetworkConfig, StageEntry
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.blocks import convolve, make_norm, normalise
from dimmer.pipeline.networks.layers.quantisers import quantise_activation
from dimmer.pipeline.networks.network import Block, Network


@dataclass(frozen=True)
class ToyConfig(NetworkConfig):
    """Shape of a toy network; `kernel` is the size of its depthwise kernels."""

    mandatory: tuple[int, ...]
    skippable: tuple[int, ...]
    widths: tuple[int, ...]
    in_channels: int
    image_size: tuple[int, int]
    classes: int
    bits: tuple[int, ...] = (FULL_BITS,)
    kernel: int = 3

    def __post_init__(self) -> None:
        self.check_stages()
        require(self.kernel in (3, 5), "kernel", "must be 3 or 5")
        require(min(self.image_size) >= 2 ** len(self.widths), "widths", "must leave a pixel or more in the last stage")

    def sizes(self) -> tuple[int, ...]:
        """Pixels of the stream behind the stem and behind each stage."""
        height, width = self.image_size
        found = []
        for halving in range(len(self.widths) + 1):
            if halving != 1:  # the first stage keeps the stem's resolution
                height, width = (height + 1) // 2, (width + 1) // 2
            found.append(height * width)
        return tuple(found)

    def cost(self) -> NetworkCost:
        """Multiply-accumulates of one inference."""
        first, *sizes = self.sizes()
        fixed = first * 9 * self.in_channels * self.widths[0] + self.widths[-1] * self.classes
        channels, stages = self.widths[0], []
        for m, s, out, pixels in zip(self.mandatory, self.skippable, self.widths, sizes, strict=True):
            inputs = [channels] + [out] * (m + s - 1)
            stages.append(tuple(pixels * c * (self.kernel**2 + out) for c in inputs))
            channels = out
        return NetworkCost(fixed, tuple(stages))

    def entries(self) -> tuple[StageEntry, ...]:
        """What enters each stage."""
        channels = (self.widths[0], *self.widths[:-1])
        return tuple(StageEntry(c, pixels) for c, pixels in zip(channels, self.sizes(), strict=False))


class Separable(Block):
    """Depthwise convolution, norm, ReLU6, pointwise convolution, norm, the identity added if shapes allow, ReLU6."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int, skip_aware: bool, widths: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            in_channels, in_channels, kernel, stride=stride, padding=kernel // 2, groups=in_channels, bias=False
        )
        self.inner_norm = make_norm(in_channels, skip_aware, widths)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.outer_norm = make_norm(out_channels, skip_aware, widths)
        self.adds = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """float[N,Cin,H,W] -> float[N,Cout,H/stride,W/stride]."""
        y = F.relu6(normalise(self.inner_norm, self.depthwise(x), skipped, bits))
        y = convolve(self.pointwise, quantise_activation(y, bits), bits)
        y = normalise(self.outer_norm, y, skipped, bits)
        return F.relu6(y + x if self.adds else y)

    def deployed(self, fold: Folding) -> DeployedSeparable:
        """Two convolutions with biases; only what the pointwise one reads is rounded to a narrow width."""
        made = "project" if self.adds else "out"
        fold.rounded("depthwise")
        depthwise = fold.convolution("depthwise", self.depthwise, self.inner_norm)
        pointwise = fold.convolution(made, self.pointwise, self.outer_norm, reads="depthwise")
        return DeployedSeparable(fold.name, fold.bits, depthwise, pointwise, self.adds)


class DeployedSeparable(DeployedBlock):
    """A `Separable` of plain convolutions."""

    def __init__(self, name: str, bits: int, depthwise: nn.Conv2d, pointwise: nn.Conv2d, adds: bool) -> None:
        super().__init__(name, bits)
        self.depthwise, self.pointwise, self.adds = depthwise, pointwise, adds

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W']."""
        y = tap(f"{self.name}.depthwise", self.rounded(F.relu6(self.depthwise(x))))
        y = self.pointwise(y)
        if self.adds:
            y = tap(f"{self.name}.project", y) + x
        return tap(f"{self.name}.out", F.relu6(y))


class ToyNetwork(Network):
    """A stem that halves the resolution, stages of `Separable` blocks, and a classifier."""

    config: ToyConfig
    stem: nn.Sequential

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.widths[0]
        first = nn.Conv2d(config.in_channels, channels, 3, stride=2, padding=1, bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(channels), nn.ReLU6())
        stages = []
        for s, (width, mandatory, skippable) in enumerate(
            zip(config.widths, config.mandatory, config.skippable, strict=True)
        ):
            blocks = nn.ModuleList()
            for b in range(mandatory + skippable):
                twins = b < mandatory and skippable > 0
                stride = 2 if s and not b else 1
                blocks.append(Separable(channels, width, config.kernel, stride, twins, config.bits))
                channels = width
            stages.append(blocks)
        self.stages = nn.ModuleList(stages)
        self.classifier = nn.Linear(channels, config.classes)

    def classify(self, stream: Tensor) -> Tensor:
        """The mean of each channel, and a linear layer."""
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(stream, 1).flatten(1))
        return logits

    def deployed_stem(self, fold: Folding) -> ConvStem:
        """The convolution with its norm folded in."""
        conv, norm = self.stem[0], self.stem[1]
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        return ConvStem(fold.convolution("conv", conv, norm))

    def deployed_head(self, fold: Folding) -> PooledHead:
        """The classifier with its weights on their grid."""
        return PooledHead(fold.linear(self.classifier))


CONFIG = ToyConfig
NETWORK = ToyNetwork

SMALL = ToyConfig((1, 2), (1, 1), (4, 6), 1, (9, 8), 3, (8, 4, 2))


def small() -> ToyNetwork:
    """An untrained network of `SMALL` in eval mode, each norm with a mean of its own."""
    torch.manual_seed(0)
    network = ToyNetwork(SMALL)
    with torch.no_grad():
        for i, module in enumerate(network.modules()):
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                module.running_mean.fill_(0.01 * i)
    return network.eval()


def images(count: int = 6) -> Tensor:
    """float32[count,1,9,8]."""
    return torch.randn(count, 1, 9, 8, generator=torch.Generator().manual_seed(1))
