# SPDX-License-Identifier: Apache-2.0
"""Small networks as a user may write them; also what a recipe's `nets.py:small` builds."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Residual(nn.Module):
    """conv, norm, ReLU, conv, norm, the input or a projection of it added, ReLU."""

    def __init__(self, given: int, made: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(given, made, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(made)
        self.conv2 = nn.Conv2d(made, made, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(made)
        self.project = nn.Conv2d(given, made, 1, stride) if given != made else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + (x if self.project is None else self.project(x)))


class Small(nn.Module):
    """Two stages of two blocks, a max pool in the stem, a norm between the stages, dropout at the end."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.one = nn.Sequential(Residual(4, 4), Residual(4, 4))
        self.between = nn.Sequential(nn.Conv2d(4, 6, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU6())
        self.two = nn.Sequential(Residual(6, 8, 2), Residual(8, 8))
        self.drop = nn.Dropout(0.1)
        self.classifier = nn.Linear(8, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.norm(self.stem(x))))
        x = self.two(self.between(self.one(x)))
        logits: Tensor = self.classifier(self.drop(x.mean((2, 3))))
        return logits


class Plain(nn.Module):
    """No identity path."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return y.mean((2, 3))


def single(classes: int = 3) -> nn.Module:
    """One stage, between blocks that are each alone with their shape."""
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU()),
        *(Residual(4, 6), Residual(6, 8), Residual(8, 8), Residual(8, 6)),
        *(nn.Conv2d(6, 5, 1, bias=False), nn.BatchNorm2d(5), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, classes)),
    )


class Attention(nn.Module):
    """A block x + f(x) with a layer norm."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(self.norm(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        return x + y


def attentive(classes: int = 3) -> nn.Module:
    """Blocks that no device runs."""
    blocks = (Attention(), Attention())
    return nn.Sequential(nn.Conv2d(3, 4, 4, 4), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes))


def series(channels: int = 10, classes: int = 2) -> nn.Module:
    """Residual blocks on a series."""
    return nn.Sequential(
        *(nn.Conv2d(channels, 4, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), Residual(4, 4), Residual(4, 4)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes)),
    )


def small(classes: int = 3) -> Small:
    """Norms have statistics and gammas of both signs, as training leaves them."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    network = Small(classes)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.weight.copy_(torch.randn(module.num_features, generator=generator))
                module.bias.copy_(torch.randn(module.num_features, generator=generator))
                module.running_mean.copy_(torch.randn(module.num_features, generator=generator))
                module.running_var.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
    return network.eval()


def images(count: int = 2) -> Tensor:
    """float32[count,3,16,16]."""
    return torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))
