# SPDX-License-Identifier: Apache-2.0
"""Recalibrated statistics are the statistics of the data, and the network is left as it was."""

import torch
from torch import nn

from dimmer.calibration.batchnorm import load_statistics, recalibrated, statistics


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU6(), nn.Conv2d(4, 2, 1), nn.BatchNorm2d(2)
    ).eval()


def test_statistics_are_those_of_the_batches() -> None:
    net, x = network(), torch.randn(32, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    own = recalibrated(net, net, x.split(8))
    mean, var = own["1"]
    y = net[0](x)
    assert torch.allclose(mean, y.mean((0, 2, 3)), atol=1e-5)
    per_batch = torch.stack([b.var((0, 2, 3)) for b in y.split(8)]).mean(0)
    assert torch.allclose(var, per_batch, atol=1e-5)


def test_the_network_is_left_as_it_was() -> None:
    net, x = network(), torch.randn(8, 1, 8, 8)
    before, output = statistics(net), net(x)
    recalibrated(net, net, [x])
    assert all(torch.equal(a, b) for n in before for a, b in zip(before[n], statistics(net)[n], strict=True))
    assert torch.equal(net(x), output)
    assert not net.training
    assert net[1].momentum == 0.1


def test_norms_that_the_sub_network_does_not_use_are_not_reported() -> None:
    net, x = network(), torch.randn(8, 1, 8, 8)
    assert set(recalibrated(net, lambda b: net[1](net[0](b)), [x])) == {"1"}


def test_norms_to_keep_work_with_the_statistics_that_they_have() -> None:
    net, x = network(), torch.randn(8, 1, 8, 8)
    own = recalibrated(net, net, [x], keep={"1"})
    assert set(own) == {"4"}
    torch.testing.assert_close(own["4"][0], net[:4](x).mean((0, 2, 3)), atol=1e-5, rtol=1e-4)


def test_statistics_can_be_loaded_back() -> None:
    net, x = network(), torch.randn(8, 1, 8, 8)
    own = recalibrated(net, net, [x])
    load_statistics(net, own)
    assert torch.equal(statistics(net)["4"][0], own["4"][0])
