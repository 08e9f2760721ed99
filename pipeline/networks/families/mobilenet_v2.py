# SPDX-License-Identifier: Apache-2.0
"""Adaptive MobileNetV2: inverted residual blocks, of which a stage's last ones can be skipped.

Architecture after Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks (2018); which norms have twins
after Kang & Lee, Adaptive Depth Networks with Skippable Sub-Paths (NeurIPS 2024), section 4 and its code. The residual
stream is what linear projections write: it has both signs and no bound, and stays at 8 bits.

The sites of a block are expand, depthwise, project (where the block adds its input) and out; of the head last, pool and
logits.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.modes.mode import FULL_BITS, Mode
from dimmer.pipeline.networks.deployed import ConvStem, DeployedBlock, PooledHead, Tap
from dimmer.pipeline.networks.families.mobilenet_v2_config import MobileNetV2Config
from dimmer.pipeline.networks.family import SkipFlags
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.blocks import convolve, make_norm, normalise, parameters_in_force
from dimmer.pipeline.networks.layers.pooling import channel_means
from dimmer.pipeline.networks.layers.quantisers import quantise_activation
from dimmer.pipeline.networks.network import Block, Network


class InvertedResidual(Block):
    """1x1 expansion, norm, ReLU6, 3x3 depthwise, norm, ReLU6, 1x1 projection, norm; its input added where shapes allow.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        stride: of the depthwise convolution.
        expansion: inner channels by those of the input; 1 for a block without the expansion.
        skip_aware: whether its norms have twins.
        widths: bit-widths that the block can run with.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        expansion: int,
        skip_aware: bool,
        widths: tuple[int, ...] = (FULL_BITS,),
    ) -> None:
        super().__init__()
        inner = in_channels * expansion
        self.expand = nn.Conv2d(in_channels, inner, 1, bias=False) if expansion > 1 else None
        self.expand_norm = make_norm(inner, skip_aware, widths) if expansion > 1 else None
        self.depthwise = nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False)
        self.depthwise_norm = make_norm(inner, skip_aware, widths)
        self.project = nn.Conv2d(inner, out_channels, 1, bias=False)
        self.project_norm = make_norm(out_channels, skip_aware, widths)
        self.adds = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """float[N,Cin,H,W] -> float[N,Cout,H/stride,W/stride]."""
        y = x
        if self.expand is not None and self.expand_norm is not None:
            y = F.relu6(normalise(self.expand_norm, self.expand(y), skipped, bits))
        y = F.relu6(normalise(self.depthwise_norm, self.depthwise(y), skipped, bits))
        y = convolve(self.project, quantise_activation(y, bits), bits)
        y = normalise(self.project_norm, y, skipped, bits)
        return x + y if self.adds else y

    def deployed(self, fold: Folding) -> DeployedInvertedResidual:
        """Three convolutions with biases; only what the projection reads is rounded to a narrow width."""
        expand = None
        if self.expand is not None and self.expand_norm is not None:
            expand = fold.convolution("expand", self.expand, self.expand_norm)
        fold.rounded("depthwise")
        depthwise = fold.convolution("depthwise", self.depthwise, self.depthwise_norm)
        made = "project" if self.adds else "out"
        project = fold.convolution(made, self.project, self.project_norm, reads="depthwise")
        return DeployedInvertedResidual(fold.name, fold.bits, expand, depthwise, project, self.adds)


class DeployedInvertedResidual(DeployedBlock):
    """An `InvertedResidual` of plain convolutions."""

    def __init__(
        self, name: str, bits: int, expand: nn.Conv2d | None, depthwise: nn.Conv2d, project: nn.Conv2d, adds: bool
    ) -> None:
        super().__init__(name, bits)
        self.expand, self.depthwise, self.project, self.adds = expand, depthwise, project, adds

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W']."""
        y = x
        if self.expand is not None:
            y = tap(f"{self.name}.expand", F.relu6(self.expand(y)))
        y = tap(f"{self.name}.depthwise", self.rounded(F.relu6(self.depthwise(y))))
        y = self.project(y)
        if self.adds:
            y = x + tap(f"{self.name}.project", y)
        return tap(f"{self.name}.out", y)


class LastHead(nn.Module):
    """A 1x1 convolution and ReLU6, site "last", before pooling and classifier."""

    def __init__(self, last: nn.Conv2d, fc: nn.Linear) -> None:
        super().__init__()
        self.last, self.pooled = last, PooledHead(fc)

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> logits float[N,classes]."""
        logits: Tensor = self.pooled(tap("last", F.relu6(self.last(x))), tap)
        return logits


class MobileNetV2(Network):
    """Inverted residual network whose depth is chosen call by call.

    Attributes:
        stem: the first convolution alone: its norm may have a twin.
        last: the convolution before the pooling.
        fc: the classifier.
    """

    config: MobileNetV2Config
    stem: nn.Conv2d

    def __init__(self, config: MobileNetV2Config) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Conv2d(config.in_channels, config.stem, 3, config.stem_stride, 1, bias=False)
        self.stem_norm = make_norm(config.stem, config.twins_outside)
        stages = []
        channels = config.stem
        for s, width in enumerate(config.widths):
            blocks = []
            for b in range(config.mandatory[s] + config.skippable[s]):
                stride = config.strides[s] if b == 0 else 1
                twins = config.has_twins(s, b)
                blocks.append(InvertedResidual(channels, width, stride, config.expansion[s], twins, config.bits))
                channels = width
            stages.append(nn.ModuleList(blocks))
        self.stages = nn.ModuleList(stages)
        self.last = nn.Conv2d(channels, config.head, 1, bias=False)
        self.last_norm = make_norm(config.head, config.twins_outside)
        self.fc = nn.Linear(config.head, config.classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def enter(self, stream: Tensor, flags: SkipFlags) -> Tensor:
        """The stem's norm and ReLU6."""
        return F.relu6(normalise(self.stem_norm, stream, flags.stem))

    def leave(self, stream: Tensor, flags: SkipFlags) -> Tensor:
        """The last convolution, its norm and ReLU6."""
        return F.relu6(normalise(self.last_norm, self.last(stream), flags.head))

    def beginning(self) -> tuple[nn.Module, ...]:
        """The first convolution and its norm."""
        return (self.stem, self.stem_norm)

    def classify(self, stream: Tensor) -> Tensor:
        """The mean of each channel, and a linear layer."""
        logits: Tensor = self.fc(channel_means(stream))
        return logits

    def parameters_in(self, mode: Mode) -> set[Tensor]:
        """As every network's; of stem and head the norms in force."""
        used, flags = super().parameters_in(mode), self.config.skip_flags(mode)
        for norm, skipped in ((self.stem_norm, flags.stem), (self.last_norm, flags.head)):
            used.difference_update(norm.parameters())
            used.update(parameters_in_force(norm, skipped, FULL_BITS))
        return used

    def deployed_stem(self, fold: Folding) -> ConvStem:
        """The convolution with its norm folded in."""
        return ConvStem(fold.convolution("conv", self.stem, self.stem_norm))

    def deployed_head(self, fold: Folding) -> LastHead:
        """The last convolution with its norm folded in, and the classifier with its weights on their grid."""
        return LastHead(fold.convolution("last", self.last, self.last_norm), fold.linear(self.fc))


NETWORK = MobileNetV2
