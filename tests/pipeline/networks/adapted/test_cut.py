# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.cut import cut
from tests.pipeline.networks.adapted.nets import Residual, images, small


def test_pieces_in_a_row_are_the_network() -> None:
    network = small()
    chain = cut(network, ("one.0", "one.1", "two.0", "two.1"))
    assert [lead is None for lead in chain.leads] == [True, True, False, True]
    x = images(2)
    with torch.no_grad():
        y = chain.stem(x)
        for lead, block in zip(chain.leads, chain.blocks, strict=True):
            y = block(y if lead is None else lead(y))
        assert torch.equal(chain.head(y), network(x))
    assert chain.blocks[0] is network.one[0]


class Beside(nn.Module):
    """The stem's output is read again behind the first block."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.one, self.two = Residual(4, 4), Residual(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        y: Tensor = self.two(self.one(x) + x)
        return y


class Branching(nn.Module):
    """What it does depends on values."""

    def __init__(self) -> None:
        super().__init__()
        self.one = Residual(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.one(x) if x.sum() > 0 else x
        return y


def test_what_is_no_chain_is_refused() -> None:
    with pytest.raises(DimmerError, match="only the residual stream may pass"):
        cut(Beside(), ("one", "two"))
    with pytest.raises(DimmerError, match=r"cannot be traced by torch\.fx"):
        cut(Branching(), ("one",))
    with pytest.raises(DimmerError, match=r"blocks run in the order one\.0, one\.1"):
        cut(small(), ("one.1", "one.0"))
