# SPDX-License-Identifier: Apache-2.0
"""Networks as people do write them, whose graphs do not say at first sight what they compute. `make_NAME` builds each.

Two stages of two blocks over 8 channels, unless said otherwise, for images of 3x16x16 in three classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Plain(nn.Module):
    """conv, norm, ReLU, conv, norm, the input added, ReLU."""

    def __init__(self, c: int = 8) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c)
        self.conv2, self.norm2 = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c)

    def residual(self, x: Tensor) -> Tensor:
        made: Tensor = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return made

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.residual(x))


class AddsInPlace(Plain):
    """The sum is a statement."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.residual(x)
        y.add_(x)
        return F.relu(y)


class ReluStatement(Plain):
    """The activation within is a statement."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(self.conv1(x))
        F.relu(y, inplace=True)
        return F.relu(x + self.norm2(self.conv2(y)))


class ReluBefore(Plain):
    """A module's activation changes the stream, which the shortcut reads afterwards."""

    def __init__(self, c: int = 8) -> None:
        super().__init__(c)
        self.relu = nn.ReLU(True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.residual(self.relu(x))
        return x + y


class AddsHalf(Plain):
    """The sum has a factor."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(torch.add(x, self.residual(x), alpha=0.5))


class DropConv(nn.Module):
    """Called so, but with parameters."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c), nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.drop(F.relu(self.norm(self.conv(x))))
        return made


class WithDropConv(Plain):
    def __init__(self, c: int = 8) -> None:
        super().__init__(c)
        self.first = DropConv(c)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm2(self.conv2(self.first(x))))


class HalfNorm(nn.BatchNorm2d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * 0.5


class WithHalfNorm(Plain):
    def __init__(self, c: int = 8) -> None:
        super().__init__(c)
        self.norm1 = HalfNorm(c)


class NormTwice(Plain):
    """One norm behind both convolutions."""

    def residual(self, x: Tensor) -> Tensor:
        made: Tensor = self.norm1(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return made


class SharedWeight(Plain):
    """Both convolutions have one weight."""

    def __init__(self, c: int = 8) -> None:
        super().__init__(c)
        self.conv2.weight = self.conv1.weight


class AddsParameter(Plain):
    def __init__(self, c: int = 8) -> None:
        super().__init__(c)
        self.offset = nn.Parameter(torch.zeros(1, c, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.residual(x) + self.offset)


class NoWeights(Plain):
    def __init__(self, c: int = 8) -> None:
        super().__init__(c)
        self.norm1 = nn.BatchNorm2d(c, affine=False)


class NoStatistics(Plain):
    def __init__(self, c: int = 8) -> None:
        super().__init__(c)
        self.norm1 = nn.BatchNorm2d(c, track_running_stats=False)


class Grouped(Plain):
    def __init__(self, c: int = 8) -> None:
        super().__init__(c)
        self.conv1 = nn.Conv2d(c, c, 3, padding=1, groups=2, bias=False)


class FlattensHalf(Plain):
    """A rule for `flatten` that looks at its first argument alone would miss the second."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.residual(torch.flatten(x, 1, 2).view_as(x)))


class GainConv(nn.Conv2d):
    """Its factor begins at 1."""

    def __init__(self, c: int) -> None:
        super().__init__(c, c, 3, padding=1, bias=False)
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.gain


class WithGain(Plain):
    def __init__(self, c: int = 8) -> None:
        super().__init__(c)
        self.conv1 = GainConv(c)


class ClampConv(nn.Conv2d):
    """Its clamp lies far out."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.clamp(-100, 100))


class WithClamp(Plain):
    def __init__(self, c: int = 8) -> None:
        super().__init__(c)
        self.conv1 = ClampConv(c, c, 3, padding=1, bias=False)


class LowReLU(nn.ReLU):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).clamp(max=20)


class WithLowReLU(Plain):
    def __init__(self, c: int = 8) -> None:
        super().__init__(c)
        self.relu = LowReLU()

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.relu(x + self.residual(x))
        return made


class AddsItself(Plain):
    def forward(self, x: Tensor) -> Tensor:
        y = self.residual(x)
        return F.relu(x + (y + y))


class Net(nn.Module):
    def __init__(self, block: type[nn.Module] = Plain, bias: bool = True) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
        self.one = nn.ModuleList([block(), block()])
        self.down = nn.Conv2d(8, 8, 3, 2, 1)
        self.two = nn.ModuleList([block(), block()])
        self.fc = nn.Linear(8, 3, bias=bias)

    def enter(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.stem(x)))

    def first(self, x: Tensor) -> Tensor:
        for block in self.one:
            x = block(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.down(self.first(self.enter(x))))
        for block in self.two:
            x = block(x)
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


class StatementsBetween(Net):
    """Activations of stem and between the stages are statements."""

    def enter(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x))
        F.relu(x, True)
        x.clamp_(0, 6)
        return x


class Pooled(Net):
    """Pools by torch's function."""

    def enter(self, x: Tensor) -> Tensor:
        return F.max_pool2d(super().enter(x), 3, stride=2, padding=1)


class OneByOne(Net):
    """Only ever of one input."""

    def enter(self, x: Tensor) -> Tensor:
        return super().enter(x.view(1, 3, 16, 16))


class Between(Net):
    """A convolution, not of the list, runs between the two blocks of a stage."""

    def __init__(self) -> None:
        super().__init__()
        self.middle = nn.Conv2d(8, 8, 1)

    def first(self, x: Tensor) -> Tensor:
        made: Tensor = self.one[1](self.middle(self.one[0](x)))
        return made


class Counts(Net):
    """Keeps a state."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))
        self.calls: Tensor

    def enter(self, x: Tensor) -> Tensor:
        self.calls += 1
        return super().enter(x)


class ByKeyword(Net):
    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        for block in (*self.one, *self.two):
            x = block(x=x)
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


def negative(network: nn.Module) -> nn.Module:
    """With gammas of both signs."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.weight is not None:
            module.weight.data[::2] = -0.7
    return network


KEPT = {
    "adds_in_place": AddsInPlace,
    "relu_statement": ReluStatement,
    "relu_before": ReluBefore,
    "drop_conv": WithDropConv,
    "plain": Plain,
}
REFUSED = {
    "adds_half": (AddsHalf, "an addition with a factor"),
    "half_norm": (WithHalfNorm, "a batch norm that computes something of its own, HalfNorm"),
    "norm_twice": (NormTwice, "used in several places"),
    "shared_weight": (SharedWeight, "used in several places"),
    "adds_parameter": (AddsParameter, "no tensor of the stream"),
    "no_weights": (NoWeights, "a batch norm without weights"),
    "no_statistics": (NoStatistics, "or without running statistics"),
    "grouped": (Grouped, "a convolution of 2 groups of 4 channels"),
    "gain": (WithGain, "GainConv at 'conv1' is not deployed"),
    "clamp": (WithClamp, "ClampConv at 'conv1' is not deployed"),
    "low_relu": (WithLowReLU, "clamp at 'clamp' is not deployed"),
    "adds_itself": (AddsItself, "an addition of something else than two tensors"),
    "flattens_half": (FlattensHalf, "is not deployed|would be something else on a device"),
}


def make(name: str, signs: bool = True) -> nn.Module:
    """One of these, its numbers the same each time."""
    torch.manual_seed(0)
    whole = {"between": Between, "counts": Counts, "by_keyword": ByKeyword, "statements_between": StatementsBetween}
    whole |= {"pooled": Pooled, "one_by_one": OneByOne}
    if name in whole:
        return whole[name]()
    if name == "no_bias":
        return Net(bias=False)
    block = KEPT[name] if name in KEPT else REFUSED[name][0]
    network = Net(block)
    return negative(network) if signs else network
