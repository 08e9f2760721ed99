# SPDX-License-Identifier: Apache-2.0
"""Attention within windows, shifted in every second block (Liu et al., Swin Transformer, 2021).

Nothing has more than four dimensions, which is what firmware transposes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dimmer.calibration.observe import Tap
from dimmer.pipeline.networks.layers.attention import no_tap

UNSEEN = -16.0
"""Added to the score of a position that is no neighbour. The published -100 would leave int8 scores no fine steps, and
exp(-16) is 2^-23."""


class Windows(nn.Module):
    """Positions see those of their own window; what is learnt of the way between two of them is added to the score.

    Args:
        heads: divide the channels.
        window: height and width of a window.
        shift: by how many positions windows are shifted, down and across; 0 for none.
        grid: (height, width) of the stream; multiples of the window.

    Attributes:
        table: float[heads, (2 window - 1)^2], of each way.
    """

    def __init__(self, heads: int, window: int, shift: int, grid: tuple[int, int]) -> None:
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.table = nn.Parameter(torch.randn(heads, (2 * window - 1) ** 2) * 0.02)
        self.register_buffer("ways", _ways(window), persistent=False)
        self.register_buffer("unseen", _unseen(window, shift, grid), persistent=False)

    def before(self, x: Tensor) -> Tensor:
        """float[N,C,H,W] with windows where they are cut."""
        return _rolled(x, self.shift)

    def behind(self, x: Tensor) -> Tensor:
        """The reverse of `before`."""
        return _rolled(x, -self.shift)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, site: str = "", tap: Tap = no_tap) -> Tensor:
        """As `attend`, window by window; a further site is biased."""
        n, _, height, width = query.shape
        query, key, value = (self._cut(x) for x in (query, key, value))
        scores = tap(f"{site}scores", torch.matmul(query, key.transpose(2, 3)))
        assert isinstance(self.ways, Tensor)
        assert isinstance(self.unseen, Tensor)
        positions = self.window**2
        bias = self.table[:, self.ways].reshape(1, self.heads, positions, positions)
        if self.shift:
            # One addition: a converter makes one of two constants that are added one after the other.
            bias = bias + (self.unseen.repeat(n, 1, 1, 1) if n > 1 else self.unseen)
        scores = tap(f"{site}biased", scores + bias)
        attention = tap(f"{site}attention", scores.softmax(-1))
        mixed = tap(f"{site}mixed", torch.matmul(attention, value))
        return self._joined(mixed, n, height, width)

    def _cut(self, x: Tensor) -> Tensor:
        """float[N,C,H,W] -> float[windows, heads, positions, C / heads]."""
        n, channels, height, width = x.shape
        side = self.window
        rows = x.permute(0, 2, 3, 1).reshape(n * (height // side), side, width // side, side * channels)
        tokens = rows.transpose(1, 2).reshape(-1, side * side, self.heads, channels // self.heads)
        return tokens.transpose(1, 2)

    def _joined(self, x: Tensor, n: int, height: int, width: int) -> Tensor:
        """The reverse of `_cut`."""
        side, channels = self.window, self.heads * x.shape[3]
        rows = x.transpose(1, 2).reshape(n * (height // side), width // side, side, side * channels).transpose(1, 2)
        return rows.reshape(n, height, width, channels).permute(0, 3, 1, 2)


def _rolled(x: Tensor, shift: int) -> Tensor:
    """float[N,C,H,W] moved up and left, around the edges; by slices, which move codes and compute nothing."""
    if not shift:
        return x
    x = torch.cat([x[:, :, shift:], x[:, :, :shift]], 2)
    return torch.cat([x[:, :, :, shift:], x[:, :, :, :shift]], 3)


def _ways(window: int) -> Tensor:
    """int64[window^4]: the number of the way from each position of a window to each."""
    places = torch.cartesian_prod(torch.arange(window), torch.arange(window))
    way = places[:, None] - places[None] + window - 1
    return (way[..., 0] * (2 * window - 1) + way[..., 1]).flatten()


def _unseen(window: int, shift: int, grid: tuple[int, int]) -> Tensor:
    """float[windows, 1, window^2, window^2]: `UNSEEN` between positions that only the rolling has brought together."""
    edges = []
    for size in grid:
        part = torch.zeros(size)
        if shift:
            part[-window:-shift], part[-shift:] = 1, 2
        edges.append(part)
    region = (edges[0][:, None] * 3 + edges[1][None]).reshape(grid[0] // window, window, grid[1] // window, window)
    own = region.transpose(1, 2).reshape(-1, 1, window * window)
    return torch.where(own[..., None] == own[..., None, :], 0.0, UNSEEN)
