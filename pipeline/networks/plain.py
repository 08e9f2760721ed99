# SPDX-License-Identifier: Apache-2.0
"""The ends of most convolutional families: a convolution with its norm before, a mean and a linear layer behind."""

from __future__ import annotations

from torch import Tensor, nn

from dimmer.pipeline.networks.deployed import ConvStem, PooledHead
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.pooling import channel_means
from dimmer.pipeline.networks.network import Network


class PlainNetwork(Network):
    """A network between such ends.

    Attributes:
        stem: nn.Conv2d, nn.BatchNorm2d and what bounds the stream, in this order.
        fc: the last layer, of the mean of each channel.
    """

    stem: nn.Sequential
    fc: nn.Linear

    def classify(self, stream: Tensor) -> Tensor:
        """float[N,C,H,W] -> what the last layer makes of the mean of each channel, float[N,classes]."""
        made: Tensor = self.fc(channel_means(stream))
        return made

    def deployed_stem(self, fold: Folding) -> ConvStem:
        """The first layer with its norm folded in."""
        conv, norm = self.stem[0], self.stem[1]
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        return ConvStem(fold.convolution("conv", conv, norm))

    def deployed_head(self, fold: Folding) -> PooledHead:
        """The last layer with its weights on their grid."""
        return PooledHead(fold.linear(self.fc))
