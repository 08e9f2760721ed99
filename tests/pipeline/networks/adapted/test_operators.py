# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.networks.adapted.cut import trace
from dimmer.pipeline.networks.adapted.operators import (
    MaxPool,
    Nodes,
    is_flatten,
    is_global_pool,
    only_user,
    own_activation,
    relu_of,
)


class Everything(nn.Module):
    """Forms in which the same operators are written."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.drop = nn.Dropout(0.5)
        self.clip = nn.Hardtanh(0, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.conv(x)).relu()
        x = self.clip(x)
        x = F.adaptive_avg_pool2d(x, 1)
        return x.view(x.size(0), -1)


def test_nodes_are_known_by_what_they_do() -> None:
    module = Everything()
    nodes = Nodes(module)
    conv, drop, relu, clip, pool, size, view = [
        node for node in trace(module, (), "it").nodes if node.op not in ("placeholder", "output")
    ]
    assert nodes.calls(conv, nn.Conv2d) is module.conv
    assert nodes.passed(drop)
    assert nodes.next(conv) is relu
    assert isinstance(nodes.activation(relu), nn.ReLU)
    assert isinstance(nodes.activation(clip), nn.ReLU6)
    assert nodes.activation(pool) is None
    assert is_global_pool(nodes, pool)
    assert not is_global_pool(nodes, clip)
    assert is_flatten(nodes, view)
    assert not is_flatten(nodes, size)
    assert only_user(pool) is None


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1)])
def test_max_pooling_of_what_is_not_negative_is_padded_with_zeros(pool: nn.MaxPool2d) -> None:
    x = torch.rand(2, 3, 7, 7)
    assert torch.equal(MaxPool(pool)(x), pool(x))


def test_a_library_s_convolution_is_plain_where_it_computes_one() -> None:
    class Same(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    class Scaled(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * 2

    for kind, plain in ((Same, True), (Scaled, False)):
        module = nn.Sequential(kind(3, 4, 3, 2, 1))
        node = next(node for node in trace(module, (), "it").nodes if node.op == "call_module")
        assert (Nodes(module).plain(node, nn.Conv2d) is not None) == plain


def test_activations_inside_norms_are_told() -> None:
    norm = nn.BatchNorm2d(4)
    assert own_activation(norm) is None
    norm.act = nn.ReLU()
    assert isinstance(own_activation(norm), nn.ReLU)
    norm.act = nn.SiLU()
    with pytest.raises(KeyError, match="SiLU"):
        own_activation(norm)
    assert relu_of(nn.Hardtanh(-1, 1)) is None
