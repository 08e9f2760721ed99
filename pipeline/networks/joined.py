# SPDX-License-Identifier: Apache-2.0
"""Several inputs joined before the first block, and several outputs behind the last one.

The first input goes through the family's own stem, which keeps its positions. Each further one has a small branch: a
convolution, norm and ReLU6, the mean over its positions where it has more than one, and a 1x1 convolution to as many
channels as the stream has. What it gives is added to every position of the stream, and ReLU6 bounds the sum: a
residual, as those of blocks are. All of it runs at 8 bits, in every mode alike, so that weights and ranges are shared.
The outputs are parts of one last layer, each a layer with a range of its own where the network is deployed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.networks.deployed import PooledHead, Tap
from dimmer.pipeline.networks.family import BRANCH_KERNEL, BRANCH_STRIDE, Shape, branch_channels
from dimmer.pipeline.networks.folding import Folding


def taken_apart(x: Tensor, shapes: Sequence[Shape]) -> Iterator[Tensor]:
    """float[N,D,1,1], inputs behind each other, each [H,W,C] -> float[N,C,H,W] of each."""
    flat, at = x.flatten(1), 0
    for height, width, channels in shapes:
        size = height * width * channels
        yield flat[:, at : at + size].reshape(-1, height, width, channels).permute(0, 3, 1, 2)
        at += size


class Branch(nn.Module):
    """What a further input adds to the stream.

    Args:
        shape: (H, W, C) of the input.
        out_channels: of the stream.
    """

    def __init__(self, shape: Shape, out_channels: int) -> None:
        super().__init__()
        height, width, channels = shape
        inner = branch_channels(shape, out_channels)
        kernel = (min(BRANCH_KERNEL, height), min(BRANCH_KERNEL, width))
        stride = (min(BRANCH_STRIDE, height), min(BRANCH_STRIDE, width))
        # Even kernels of inputs of two rows or columns see no border.
        around = (kernel[0] // 2 if kernel[0] % 2 else 0, kernel[1] // 2 if kernel[1] % 2 else 0)
        self.conv = nn.Conv2d(channels, inner, kernel, stride, around, bias=False)
        self.norm = nn.BatchNorm2d(inner)
        self.out = nn.Conv2d(inner, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """float[N,C,H,W] -> float[N,Cout,1,1]."""
        y = F.relu6(self.norm(self.conv(x)))
        made: Tensor = self.out(F.adaptive_avg_pool2d(y, 1))
        return made


class Joins(nn.Module):
    """The branches of all inputs but the first.

    Args:
        shapes: (H, W, C) of every input.
        channels: of the stream.
    """

    def __init__(self, shapes: Sequence[Shape], channels: int) -> None:
        super().__init__()
        self.shapes = tuple(shapes)
        self.branches = nn.ModuleList(Branch(shape, channels) for shape in self.shapes[1:])
        for branch in self.branches:
            assert isinstance(branch, Branch)
            nn.init.kaiming_normal_(branch.conv.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, stem: nn.Module, x: Tensor) -> Tensor:
        """float[N,D,1,1] -> the stream float[N,C,H,W].

        Args:
            stem: of the first input, float[N,C1,H1,W1] -> float[N,C,H,W].
        """
        first, *others = taken_apart(x, self.shapes)
        stream: Tensor = stem(first.contiguous(memory_format=torch.channels_last))
        for branch, other in zip(self.branches, others, strict=True):
            stream = F.relu6(stream + branch(other))
        return stream

    def deployed(self, stem: nn.Module, fold: Folding, names: Sequence[str]) -> JoinedStem:
        """Plain convolutions; `stem` as deployed, `names` of the inputs."""
        branches = []
        for name, branch in zip(names[1:], self.branches, strict=True):
            assert isinstance(branch, Branch)
            conv = fold.convolution(f"{name}_conv", branch.conv, branch.norm)
            branches.append(DeployedBranch(name, conv, fold.biased(branch.out)))
        return JoinedStem(stem, branches, self.shapes, names)


class DeployedBranch(nn.Module):
    """A `Branch` of plain convolutions; its sites are <name>_conv, <name>_mean and <name>_out."""

    def __init__(self, name: str, conv: nn.Conv2d, out: nn.Conv2d) -> None:
        super().__init__()
        self.name, self.conv, self.out = name, conv, out

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,Cout,1,1]."""
        y = tap(f"{self.name}_conv", F.relu6(self.conv(x)))
        if y.shape[2:] != (1, 1):
            y = tap(f"{self.name}_mean", F.adaptive_avg_pool2d(y, 1))
        return tap(f"{self.name}_out", self.out(y))


class JoinedStem(nn.Module):
    """The stem of a network of several inputs.

    An input is the site "input/<name>", with the range that all inputs have. What the first one gives is the site
    <first name>_conv, each sum but the last <name>_sum, and the last "stem".

    Attributes:
        names: of the inputs.
        shapes: (H, W, C) of each.
    """

    def __init__(
        self, stem: nn.Module, branches: Sequence[DeployedBranch], shapes: Sequence[Shape], names: Sequence[str]
    ) -> None:
        super().__init__()
        self.stem, self.branches = stem, nn.ModuleList(branches)
        self.shapes, self.names = tuple(shapes), tuple(names)

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,D,1,1] -> the stream float[N,C,H,W]."""
        return self.joined(list(taken_apart(x, self.shapes)), tap)

    def joined(self, inputs: Sequence[Tensor], tap: Tap) -> Tensor:
        """The same of float[N,C,H,W] of each input."""
        first, *others = (tap(f"input/{name}", x) for name, x in zip(self.names, inputs, strict=True))
        stream: Tensor = self.stem(first, lambda site, y: tap(f"{self.names[0]}_conv" if site == "stem" else site, y))
        for number, (branch, other) in enumerate(zip(self.branches, others, strict=True), 1):
            last = number == len(self.branches)
            stream = tap("stem" if last else f"{self.names[number]}_sum", F.relu6(stream + branch(other, tap)))
        return stream


class Heads(nn.Module):
    """A `PooledHead` with a layer of its own for each output, whose site is "out_<name>".

    Attributes:
        names: of the outputs.
    """

    def __init__(self, head: PooledHead, sizes: Sequence[int], names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)
        weights, biases = head.fc.weight.split(list(sizes)), head.fc.bias.split(list(sizes))
        self.layers = nn.ModuleList()
        for weight, bias in zip(weights, biases, strict=True):
            layer = nn.Linear(weight.shape[1], weight.shape[0])
            layer.weight.data, layer.bias.data = weight.detach().clone(), bias.detach().clone()
            self.layers.append(layer)

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> all outputs behind each other, float[N,outputs]."""
        return torch.cat(self.apart(x, tap), 1)

    def apart(self, x: Tensor, tap: Tap) -> tuple[Tensor, ...]:
        """float[N,K] of each output."""
        x = tap("pool", F.adaptive_avg_pool2d(x, 1).flatten(1))
        return tuple(tap(f"out_{name}", layer(x)) for name, layer in zip(self.names, self.layers, strict=True))
