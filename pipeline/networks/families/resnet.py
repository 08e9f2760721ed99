"""Adaptive CIFAR-style ResNet: three or more stages whose last blocks can be skipped.

Architecture after He et al., Deep Residual Learning (2016), section 4.2, with 1x1 shortcuts and ReLU6; depth
modes after Kang & Lee, Adaptive Depth Networks with Skippable Sub-Paths (NeurIPS 2024). ReLU6 bounds every
activation, so the same range serves all modes at the block boundaries.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.modes.mode import Mode, NetworkCost, base_mode, check_mode, depth_patterns, super_mode
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig, resnet_cost
from dimmer.pipeline.networks.layers.blocks import BasicBlock


class Stem(nn.Module):
    """conv3x3, norm, ReLU6: shared by all modes."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU6()

    def forward(self, x: Tensor) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H,W]."""
        y: Tensor = self.act(self.norm(self.conv(x)))
        return y


class ResNet(nn.Module):
    """Residual network whose depth is chosen call by call.

    Attributes:
        config: the shape.
        stem, stages, fc: ``stages[s][b]`` is block b of stage s, the same indices as in ``Mode.blocks``.
    """

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = Stem(config.in_channels, config.widths[0])
        stages = []
        channels = config.widths[0]
        for s, (width, mandatory, skippable) in enumerate(
            zip(config.widths, config.mandatory, config.skippable, strict=True)
        ):
            blocks = []
            for b in range(mandatory + skippable):
                stride = 2 if s > 0 and b == 0 else 1
                twins = b < mandatory and skippable > 0
                blocks.append(BasicBlock(channels, width, stride, twins, config.bits))
                channels = width
            stages.append(nn.ModuleList(blocks))
        self.stages = nn.ModuleList(stages)
        self.fc = nn.Linear(channels, config.classes)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def blocks(self, mode: Mode) -> Iterator[tuple[str, BasicBlock, bool, int]]:
        """The blocks that the mode executes, in order: (name, block, skip flag of its stage, bits)."""
        flags = mode.skip_flags(self.config.mandatory)
        for s, (stage, flag) in enumerate(zip(self.stages, flags, strict=True)):
            assert isinstance(stage, nn.ModuleList)
            for b, (block, bits) in enumerate(zip(stage, mode.blocks[s], strict=True)):
                if bits:
                    assert isinstance(block, BasicBlock)
                    yield f"stages.{s}.{b}", block, flag, bits

    def features(self, stem: Tensor, mode: Mode) -> Tensor:
        """Everything after the stem: float[N,C0,H,W] -> logits float[N,classes]."""
        for _, block, skipped, bits in self.blocks(mode):
            stem = block(stem, skipped, bits)
        # This form, and no other mean, becomes a single MEAN in TFLite without a TRANSPOSE before it.
        logits: Tensor = self.fc(F.adaptive_avg_pool2d(stem, 1).flatten(1))
        return logits

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        """float[N,C,H,W] -> logits float[N,classes] in the given mode, with the weights and activations of narrow
        blocks rounded to their grids (the 8-bit ones are float).

        Raises:
            DimmerError: the mode does not fit this network.
        """
        check_mode(mode, self.config.mandatory, self.config.skippable, self.config.bits)
        return self.features(self.stem(x), mode)

    def super_mode(self) -> Mode:
        """The mode in which every block is executed."""
        return super_mode(self.config.mandatory, self.config.skippable)

    def base_mode(self) -> Mode:
        """The mode in which every skippable sub-path is skipped."""
        return base_mode(self.config.mandatory, self.config.skippable)

    def depth_patterns(self) -> tuple[Mode, ...]:
        """All depth modes, from super-net to base-net."""
        return depth_patterns(self.config.mandatory, self.config.skippable)

    def cost(self) -> NetworkCost:
        """MACs of the network's parts."""
        return resnet_cost(self.config)


class BoundNetwork(nn.Module):
    """A network with its mode fixed: what exporters and calibration hooks see.

    Args:
        network: shared, not copied.
        mode: checked once, here.
    """

    def __init__(self, network: ResNet, mode: Mode) -> None:
        super().__init__()
        check_mode(mode, network.config.mandatory, network.config.skippable)
        self.network = network
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """float[N,C,H,W] -> logits float[N,classes]."""
        logits: Tensor = self.network(x, self.mode)
        return logits


def example_input(config: ResNetConfig, batch: int = 1) -> Tensor:
    """Zeros of the input's shape, float32[batch,C,H,W]: for exporters, which only look at the shape."""
    return torch.zeros(batch, config.in_channels, *config.image_size)
