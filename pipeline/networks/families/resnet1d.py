# SPDX-License-Identifier: Apache-2.0
"""Adaptive ResNet for series in time: vibration, ECG, accelerometers, raw sound.

The basic blocks of He et al. (2016) with one-dimensional kernels, long ones as in Wang et al., Time Series
Classification from Scratch with Deep Neural Networks (2017). Sites are those of the ResNets for images.
"""

from __future__ import annotations

from dimmer.pipeline.networks.families.resnet import ResNet, Stem
from dimmer.pipeline.networks.families.resnet1d_config import ResNet1dConfig
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig


class ResNet1d(ResNet):
    """Residual network for images of height 1, whose depth is chosen call by call."""

    def __init__(self, config: ResNet1dConfig) -> None:
        super().__init__(config)

    def _stem(self, config: ResNetConfig) -> Stem:
        assert isinstance(config, ResNet1dConfig)
        return Stem(config.in_channels, config.stem_channels, (1, config.stem_taps), config.stem_stride)


NETWORK = ResNet1d
