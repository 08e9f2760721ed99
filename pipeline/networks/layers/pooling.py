# SPDX-License-Identifier: Apache-2.0
"""Pooling, as converters and int8 have it."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from dimmer.pipeline.networks.layers.layout import keep_layout


def halved(x: Tensor) -> Tensor:
    """The largest of 3x3, with a stride of 2, of float[N,C,H,W] that is not negative -> float[N,C,(H+1)/2,(W+1)/2].

    It is padded with 0, which converters know to be a PAD, and not with minus infinity, which has no int8 code.
    """
    return F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 2)


def channel_means(x: Tensor) -> Tensor:
    """The mean of each channel: float[N,C,H,W] -> float[N,C]."""
    keep_layout(x)
    return F.adaptive_avg_pool2d(x, 1).flatten(1)
