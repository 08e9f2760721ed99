# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.probe import count_macs, is_norm, probe
from tests.pipeline.networks.adapted.nets import Residual, images, small


def test_blocks_are_what_passes_its_input_without_parameters() -> None:
    network = small()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    found = probe(network, images(1))
    assert found.blocks == ("one.0", "one.1", "two.1")
    assert found.output == (1, 3)
    assert not found.calls["two.0"].passes
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_what_lies_in_a_block_beside_other_parameters_is_a_part_of_it() -> None:
    class Encoded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.position = Residual(4, 4)
            self.linear = nn.Conv2d(4, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.position(x)
            return torch.relu(x + self.linear(x))

    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Sequential(Encoded(), Encoded()))
    assert probe(network, images(1)).blocks == ("2.0", "2.1")


def test_what_is_called_twice_is_no_block() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv2d(3, 4, 1)
            self.block = Residual(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.block(self.block(torch.relu(self.stem(x))))
            return y

    found = probe(Twice(), images(1))
    assert found.blocks == ()
    assert found.calls["block"].again == 1


def test_macs_are_those_of_each_module() -> None:
    found = probe(small(), images(1))
    # 16 x 16 -> 8 x 8 -> 4 x 4 -> 2 x 2
    assert found.calls["one.0"].macs == 2 * 16 * 9 * 4 * 4
    assert found.calls["two.0"].macs == 4 * (9 * 6 * 8 + 9 * 8 * 8 + 6 * 8)
    stem, between, head = 64 * 9 * 3 * 4, 16 * 4 * 6, 8 * 3
    assert found.macs == stem + between + head + 2 * found.calls["one.0"].macs + sum(
        found.calls[f"two.{i}"].macs for i in range(2)
    )
    attention = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    x = torch.randn(1, 5, 8)
    assert count_macs(lambda: attention(x, x, x)) >= 4 * 5 * 8 * 8 + 2 * 5 * 5 * 8


def test_a_sample_that_does_not_fit_is_told() -> None:
    with pytest.raises(DimmerError, match=r"does not run with an input of \(1, 1, 16, 16\)"):
        probe(small(), torch.ones(1, 1, 16, 16))
    with pytest.raises(DimmerError, match="gives a tuple"):
        probe(nn.LSTM(4, 4), torch.ones(1, 2, 4))


def test_norms_of_libraries_are_norms() -> None:
    class RmsNorm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4))

    assert is_norm(RmsNorm())
    assert is_norm(nn.LayerNorm(4))
    assert not is_norm(nn.Conv2d(1, 1, 1))
