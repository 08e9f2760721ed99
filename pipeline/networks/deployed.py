# SPDX-License-Identifier: Apache-2.0
"""A sub-network as it is deployed: one mode, norms folded, weights on their shared int8 grid.

Everything after training (calibration, export, the check of the converted file) looks at this network, so that what is
calibrated is what is converted. Every tensor that will be quantised is a **site** with a name. Those of the stem and
the head are common to all modes and named without a dot: input, stem, pool, logits. Those of a block are S.B.<tensor>
(stage S, block B, from 0); which there are is the family's, but for two:

    S.B.out     the block's output. These and `stem` are the block boundaries, the residual stream.
    S.B.in      in a block whose first convolution has inputs of 4 or 2 bits: the stream rounded to them.

A site "X/y" has the range of the site X: what lies between them keeps the scale.

Tensors on the grid of a narrow width lie on it by themselves, tapped or not, with ReLU6's clip as their range.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.calibration.observe import Forward

# Families take it from here.
from dimmer.calibration.observe import Tap as Tap
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.modes.width import FULL_BITS, activation_bits
from dimmer.pipeline.networks.folding import NarrowWeights
from dimmer.pipeline.networks.layers.quantisers import quantise_activation
from dimmer.pipeline.networks.sites import NarrowTensor

OPSET, OPSET_OF_GELU = 17, 20
"""Versions of ONNX's operators. Before the second, GELU is made of Erf, which converters leave to a library that no
firmware has."""


class DeployedBlock(nn.Module, ABC):
    """A block of plain convolutions with biases.

    Attributes:
        name: "S.B".
        bits: width of its narrow convolutions.
        rounds: whether activations are rounded to that width's; exporters want the function without.
        ranges: the block's tensors whose range is known beforehand -> (low, high).
        opset: of ONNX, the least that has its operators.
    """

    opset = OPSET
    ranges: Mapping[str, tuple[float, float]] = MappingProxyType({})

    def __init__(self, name: str, bits: int) -> None:
        super().__init__()
        self.name = name
        self.bits = bits
        self.rounds = True

    @property
    def narrow(self) -> bool:
        """Whether activations are rounded to a narrow width now."""
        return self.rounds and activation_bits(self.bits) != FULL_BITS

    def rounded(self, x: Tensor) -> Tensor:
        """A ReLU6 output on the grid of the block's width, where that is narrow."""
        return quantise_activation(x, self.bits) if self.narrow else x

    @abstractmethod
    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W'], tapped at every tensor that an operator writes; `S.B.in` only where
        `narrow`. The site of what it returns is `S.B.out`.
        """


class ConvStem(nn.Module):
    """A convolution and ReLU6; its output is the site "stem"."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv, self.act = conv, nn.ReLU6()

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W']."""
        return tap("stem", self.act(self.conv(x)))


class PooledHead(nn.Module):
    """The mean of each channel, site "pool", and a linear layer, site "logits"."""

    def __init__(self, fc: nn.Linear) -> None:
        super().__init__()
        self.fc = fc

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> logits float[N,classes]."""
        # This form, and no other mean, becomes a single MEAN in TFLite without a TRANSPOSE before it.
        x = tap("pool", F.adaptive_avg_pool2d(x, 1).flatten(1))
        return tap("logits", self.fc(x))


def _pass(_: str, x: Tensor) -> Tensor:
    return x


class DeployedNetwork(nn.Module):
    """One mode of an adaptive network; build it with `deploy`.

    Args:
        stem: float[N,C,H,W] and a tap -> the stream.
        head: the stream and a tap -> logits float[N,classes].

    Attributes:
        mode: the mode.
        variants: name of a part ("stem", "S.B", "head") -> which norms were folded (`Folding.variant`).
    """

    def __init__(
        self,
        mode: Mode,
        stem: nn.Module,
        blocks: Sequence[DeployedBlock],
        head: nn.Module,
        variants: Mapping[str, str],
        weights: Mapping[str, NarrowWeights],
        tensors: Mapping[str, NarrowTensor],
    ) -> None:
        super().__init__()
        self.mode = mode
        self.variants = dict(variants)
        self.stem, self.head = stem, head
        self.blocks = nn.ModuleList(blocks)
        self._weights = weights
        self._tensors = tensors

    def forward(self, x: Tensor, tap: Tap = _pass) -> Tensor:
        """float[N,C,H,W] -> logits float[N,classes]."""
        for part in self.parts():
            x = part(x, tap)
        return x

    def parts(self) -> Sequence[Forward]:
        """Input and stem, the blocks, and the head: what one returns is what the next one takes."""

        def begin(x: Tensor, tap: Tap) -> Tensor:
            stream: Tensor = self.stem(tap("input", x), tap)
            return stream

        return (begin, *self.blocks, self.head)

    def untapped(self) -> nn.Module:
        """The same network with the inputs as its only arguments, as exporters want it, and a tuple of its outputs
        where there are several.
        """
        return _Untapped(self)

    def narrow_weights(self) -> dict[str, NarrowWeights]:
        """Site -> weights of every convolution with 4 or 2 bits."""
        return dict(self._weights)

    @property
    def opset(self) -> int:
        """Version of ONNX's operators that the network needs."""
        return max([OPSET, *(block.opset for block in self.blocks if isinstance(block, DeployedBlock))])

    def known_ranges(self) -> dict[str, tuple[float, float]]:
        """Site -> (low, high) where that is no matter of calibration, such as of a softmax."""
        found: dict[str, tuple[float, float]] = dict(getattr(self.head, "ranges", {}))
        for block in self.blocks:
            assert isinstance(block, DeployedBlock)
            found |= {f"{block.name}.{tensor}": ends for tensor, ends in block.ranges.items()}
        return found

    def narrow_tensors(self) -> dict[str, NarrowTensor]:
        """Site -> grid of every activation on a narrow one."""
        return dict(self._tensors)

    def unrounded(self) -> DeployedNetwork:
        """The same function without the rounding of activations, and so without the sites `S.B.in`.

        It is what is exported: converters have no operator for the rounding, which the finished file gets instead
        (`pipeline.conversion.narrow`).
        """
        same = copy.deepcopy(self)
        for block in same.blocks:
            assert isinstance(block, DeployedBlock)
            block.rounds = False
        return same


class _Untapped(nn.Module):
    def __init__(self, network: DeployedNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        network = self.network
        # What has several of either says how they are taken apart (`dimmer.pipeline.networks.joined`).
        joined, apart = getattr(network.stem, "joined", None), getattr(network.head, "apart", None)
        stream: Tensor = network.stem(*inputs, _pass) if joined is None else joined(inputs, _pass)
        for block in network.blocks:
            stream = block(stream, _pass)
        made: Tensor | tuple[Tensor, ...] = (apart or network.head)(stream, _pass)
        return made
