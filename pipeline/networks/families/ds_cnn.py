# SPDX-License-Identifier: Apache-2.0
"""Adaptive DS-CNN for keywords: depthwise-separable blocks with residuals, of which a stage's last can be skipped.

After Zhang et al., Hello Edge: Keyword Spotting on Microcontrollers (2017). Its blocks have no residual, so that one
left out is no identity; here each adds its input. Depth modes after Kang & Lee, Adaptive Depth Networks with Skippable
Sub-Paths (NeurIPS 2024). ReLU6 bounds the residual stream.

The sites of a block are depthwise, pointwise (where the block adds its input) and out.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.modes.mode import FULL_BITS
from dimmer.pipeline.networks.deployed import DeployedBlock, Tap
from dimmer.pipeline.networks.families.ds_cnn_config import DSCNNConfig
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.blocks import convolve, make_norm, normalise
from dimmer.pipeline.networks.layers.quantisers import quantise_activation
from dimmer.pipeline.networks.network import Block
from dimmer.pipeline.networks.plain import PlainNetwork


class SeparableBlock(Block):
    """3x3 depthwise, norm, ReLU6, 1x1 pointwise, norm, its input added where widths are equal, ReLU6.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        skip_aware: whether its norms have twins.
        widths: bit-widths that the block can run with.
        kernel: height and width of the depthwise convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        skip_aware: bool,
        widths: tuple[int, ...] = (FULL_BITS,),
        kernel: tuple[int, int] = (3, 3),
    ) -> None:
        super().__init__()
        around = (kernel[0] // 2, kernel[1] // 2)
        self.depthwise = nn.Conv2d(in_channels, in_channels, kernel, 1, around, groups=in_channels, bias=False)
        self.depthwise_norm = make_norm(in_channels, skip_aware, widths)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.pointwise_norm = make_norm(out_channels, skip_aware, widths)
        self.adds = in_channels == out_channels

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """float[N,Cin,H,W] -> float[N,Cout,H,W]."""
        y = F.relu6(normalise(self.depthwise_norm, self.depthwise(x), skipped, bits))
        y = convolve(self.pointwise, quantise_activation(y, bits), bits)
        y = normalise(self.pointwise_norm, y, skipped, bits)
        return F.relu6(x + y if self.adds else y)

    def deployed(self, fold: Folding) -> DeployedSeparableBlock:
        """Two convolutions with biases; only what the pointwise one reads is rounded to a narrow width."""
        fold.rounded("depthwise")
        depthwise = fold.convolution("depthwise", self.depthwise, self.depthwise_norm)
        made = "pointwise" if self.adds else "out"
        pointwise = fold.convolution(made, self.pointwise, self.pointwise_norm, reads="depthwise")
        return DeployedSeparableBlock(fold.name, fold.bits, depthwise, pointwise, self.adds)


class DeployedSeparableBlock(DeployedBlock):
    """A `SeparableBlock` of plain convolutions."""

    def __init__(self, name: str, bits: int, depthwise: nn.Conv2d, pointwise: nn.Conv2d, adds: bool) -> None:
        super().__init__(name, bits)
        self.depthwise, self.pointwise, self.adds = depthwise, pointwise, adds

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H,W]."""
        y = tap(f"{self.name}.depthwise", self.rounded(F.relu6(self.depthwise(x))))
        y = self.pointwise(y)
        if self.adds:
            y = x + tap(f"{self.name}.pointwise", y)
        return tap(f"{self.name}.out", F.relu6(y))


class DSCNN(PlainNetwork):
    """Depthwise-separable network whose depth is chosen call by call.

    Attributes:
        fc: the classifier.
    """

    config: DSCNNConfig
    stem: nn.Sequential

    def __init__(self, config: DSCNNConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.widths[0]
        down, across = config.kernel
        first = nn.Conv2d(
            config.in_channels,
            channels,
            (down, across),
            (config.strides[0], config.strides[1]),
            config.padding,
            bias=False,
        )
        self.stem = nn.Sequential(first, nn.BatchNorm2d(channels), nn.ReLU6())
        stages = []
        for width, mandatory, skippable in zip(config.widths, config.mandatory, config.skippable, strict=True):
            blocks = []
            for b in range(mandatory + skippable):
                twins = b < mandatory and skippable > 0
                blocks.append(SeparableBlock(channels, width, twins, config.bits, config.block_kernel))
                channels = width
            stages.append(nn.ModuleList(blocks))
        self.stages = nn.ModuleList(stages)
        self.fc = nn.Linear(channels, config.classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


NETWORK = DSCNN
