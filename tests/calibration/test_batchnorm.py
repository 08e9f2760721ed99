# SPDX-License-Identifier: Apache-2.0
"""Recalibrated statistics are the statistics of the data, and the network is left as it was."""

import math

import pytest
import torch
from torch import nn

from dimmer.calibration.batchnorm import (
    NormStatistics,
    load_statistics,
    recalibrated,
    shared,
    shift,
    statistics,
    stretch,
)


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


def of(**means: float) -> NormStatistics:
    """Norms of two channels with means as told, and variances of 1."""
    return {name: (torch.full((2,), mean), torch.ones(2)) for name, mean in means.items()}


def test_means_are_apart_in_deviations_and_variances_in_logarithms() -> None:
    a = (torch.tensor([0.0, 2.0]), torch.tensor([1.0, 4.0]))
    moved = (torch.tensor([0.5, 2.0]), torch.tensor([1.0, 4.0]))
    wider = (torch.tensor([0.0, 2.0]), torch.tensor([1.0, 4.0 * 4.0]))
    assert shift(a, a) == shift(a, wider) == stretch(a, a) == stretch(a, moved) == 0
    assert shift(a, moved) == pytest.approx(0.5**2 / 2, rel=1e-3)
    assert stretch(a, wider) == stretch(wider, a) == pytest.approx(math.log(2) ** 2 / 2, rel=1e-3)
    # What a norm's epsilon swallows is no difference.
    assert stretch((torch.zeros(2), torch.zeros(2)), (torch.zeros(2), torch.full((2,), 1e-8))) < 1e-6


def test_modes_near_the_trained_statistics_have_these_and_others_share_a_mean() -> None:
    trained = of(a=0.0, b=0.0)
    own = {
        "near": of(a=0.01, b=0.01),
        "far": of(a=1.0, b=0.01),
        "beside": of(a=1.02, b=2.0),
        "alone": of(a=3.0),
    }
    found = shared(own, trained, 0.01)
    assert found["near"] == {}
    assert set(found["far"]) == {"a"}
    assert set(found["beside"]) == {"a", "b"}
    for mode in ("far", "beside"):
        assert torch.allclose(found[mode]["a"][0], torch.tensor(1.01))
        assert torch.equal(found[mode]["a"][1], trained["a"][1])
    assert torch.equal(found["beside"]["b"][0], own["beside"]["b"][0])
    assert torch.equal(found["alone"]["a"][0], own["alone"]["a"][0])


def test_variances_are_shared_for_themselves() -> None:
    trained = of(a=0.0)
    own = {"one": {"a": (torch.ones(2), torch.full((2,), 4.0))}, "two": {"a": (torch.zeros(2), torch.full((2,), 4.2))}}
    found = shared(own, trained, 0.01)
    assert torch.equal(found["one"]["a"][0], own["one"]["a"][0])
    assert torch.equal(found["two"]["a"][0], trained["a"][0])
    assert torch.allclose(found["one"]["a"][1], torch.tensor(4.1))
    assert torch.equal(found["one"]["a"][1], found["two"]["a"][1])


def test_without_tolerance_only_equal_statistics_are_shared() -> None:
    found = shared({"same": of(a=0.0), "one": of(a=1.0), "two": of(a=1.0001)}, of(a=0.0), 0.0)
    assert found["same"] == {}
    assert float(found["one"]["a"][0][0]) == 1.0
    assert found["two"]["a"][0][0] != 1.0
