# SPDX-License-Identifier: Apache-2.0
"""Attention between the positions of an image (Vaswani et al., Attention Is All You Need, 2017)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dimmer.calibration.observe import Tap
from dimmer.pipeline.networks.layers.layout import keep_layout

SOFTMAX_RANGE = (0.0, 255 / 256)
"""TFLite's int8 SOFTMAX has this output and no other."""

QUERY, KEY, VALUE, OUT = "query", "key", "value", "project"
PROJECTIONS = (QUERY, KEY, VALUE, OUT)


def no_tap(_: str, x: Tensor) -> Tensor:
    """Passes a tensor on."""
    return x


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int, site: str = "", tap: Tap = no_tap) -> Tensor:
    """Softmax(query key) value of each head, positions by positions.

    Args:
        query: float[N,C,H,W], scaled by 1 / sqrt(C / heads).
        key: float[N,C,H,W].
        value: float[N,C,H,W].
        heads: divides C.
        site: prefix of the sites scores, attention and mixed.

    Returns:
        float[N,C,H,W].
    """
    n, channels, height, width = query.shape
    keep_layout(query, key, value)
    query, key, value = (x.reshape(n, heads, channels // heads, height * width) for x in (query, key, value))
    scores = tap(f"{site}scores", torch.matmul(query.transpose(2, 3), key))
    attention = tap(f"{site}attention", scores.softmax(-1))
    mixed = tap(f"{site}mixed", torch.matmul(value, attention.transpose(2, 3)))
    return mixed.reshape(n, channels, height, width)


class Everywhere(nn.Module):
    """Every position sees every other.

    Args:
        heads: divide the channels.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def before(self, x: Tensor) -> Tensor:
        """What the linear layers read: float[N,C,H,W] as it is."""
        return x

    def behind(self, x: Tensor) -> Tensor:
        """The reverse of `before`."""
        return x

    def forward(self, query: Tensor, key: Tensor, value: Tensor, site: str = "", tap: Tap = no_tap) -> Tensor:
        """As `attend`."""
        return attend(query, key, value, self.heads, site, tap)


class DeployedAttention(nn.Module):
    """Attention of plain convolutions, whose query is scaled by its weights.

    Args:
        layers: `PROJECTIONS` -> convolution.
        pattern: which positions see each other.
        site: prefix of its sites: query, key, value, those of the pattern, project.
    """

    def __init__(self, layers: Mapping[str, nn.Conv2d], pattern: nn.Module, site: str) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(layers)
        self.pattern: Any = copy.deepcopy(pattern)
        self.site = site

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C,H,W]."""
        x = self.pattern.before(x)
        query, key, value = (tap(f"{self.site}{name}", self.layers[name](x)) for name in (QUERY, KEY, VALUE))
        mixed = self.pattern(query, key, value, self.site, tap)
        made: Tensor = self.pattern.behind(tap(f"{self.site}{OUT}", self.layers[OUT](mixed)))
        return made
