# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from dimmer import processes
from dimmer.errors import DimmerError
from dimmer.pipeline.networks.layers.shared_norm import SharedNorm2d, share_statistics
from tests.forked import in_processes

BATCH = 12


def _learnt(share: slice, network: nn.Sequential) -> list[Tensor]:
    """Outputs, gradients and statistics of a network of two norms, whose loss weighs each image by itself."""
    torch.manual_seed(1)
    x = (torch.randn(BATCH, 3, 4, 4, dtype=torch.float64) * 3 + 50)[share].requires_grad_()
    weights = torch.randn(BATCH, 4, 2, 2, dtype=torch.float64)[share]
    y = network(x)
    (y.square() * weights).mean().backward()
    assert x.grad is not None
    parameters = list(network.parameters())
    processes.average_gradients(parameters)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    assert len(gradients) == len(parameters)
    return [y.detach(), x.grad / processes.count(), *gradients, *network.buffers()]


def _network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4, momentum=None)
    return nn.Sequential(*layers).double()


def _shared() -> list[Tensor]:
    network = _network()
    share_statistics(network)
    assert isinstance(network[0], SharedNorm2d)
    return _learnt(processes.own(), network)


def test_norms_of_several_processes_are_those_of_one(tmp_path: Path) -> None:
    count = 3
    alone = _learnt(slice(None), _network())
    found = in_processes(tmp_path, count, _shared)
    for rank, shares in enumerate(found):
        for number, (own, whole) in enumerate(zip(shares, alone, strict=True)):
            expected = whole[rank::count] if number < 2 else whole
            torch.testing.assert_close(own, expected, rtol=1e-11, atol=1e-12)


def test_without_gradients_a_norm_sees_its_own_process(tmp_path: Path) -> None:
    def measured() -> Tensor:
        network = _network()
        share_statistics(network)
        with torch.no_grad():
            network(torch.full((2, 3, 4, 4), float(processes.rank()), dtype=torch.float64))
        mean = network[0].running_mean
        assert isinstance(mean, Tensor)
        return mean

    assert [mean[0].item() for mean in in_processes(tmp_path, 2, measured)] == [0.0, pytest.approx(0.1)]


def test_a_norm_of_a_class_of_its_own_is_refused() -> None:
    class Own(nn.BatchNorm2d):
        pass

    with pytest.raises(DimmerError, match="1 is a Own, whose statistics"):
        share_statistics(nn.Sequential(nn.BatchNorm2d(1), Own(1)))
