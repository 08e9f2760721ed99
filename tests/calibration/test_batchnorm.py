# SPDX-License-Identifier: Apache-2.0
"""Recalibrated statistics are the statistics of the data, and the network is left as it was."""

import pytest
import torch
from torch import nn

from dimmer.calibration.batchnorm import NormStatistics, distance, load_statistics, recalibrated, shared, statistics


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
    """Two norms of two channels with means as told, and variances of 1."""
    return {name: (torch.full((2,), mean), torch.ones(2)) for name, mean in means.items()}


def test_distance_is_of_means_in_deviations_and_of_logarithms_of_deviations() -> None:
    a = {"n": (torch.tensor([0.0, 2.0]), torch.tensor([1.0, 4.0]))}
    assert distance(a, a) == 0
    moved = {"n": (torch.tensor([0.5, 2.0]), torch.tensor([1.0, 4.0]))}
    assert distance(a, moved) == pytest.approx(0.5**2 / 2, rel=1e-3)
    wider = {"n": (torch.tensor([0.0, 2.0]), torch.tensor([1.0, 4.0 * 4.0]))}
    assert distance(a, wider) == pytest.approx(float(torch.tensor(2.0).log()) ** 2 / 2, rel=1e-3)
    # A norm with more channels weighs more.
    both = a | {"wide": (torch.zeros(6), torch.ones(6))}
    assert distance(both, moved | {"wide": both["wide"]}) == pytest.approx(0.5**2 / 8, rel=1e-3)
    # What a norm's epsilon swallows is no difference.
    dead = {"n": (torch.zeros(2), torch.zeros(2))}
    assert distance(dead, {"n": (torch.zeros(2), torch.full((2,), 1e-8))}) < 1e-6


def test_modes_near_the_trained_statistics_have_these_and_others_share_a_mean() -> None:
    trained = of(a=0.0, b=0.0)
    own = {
        "near": of(a=0.01, b=0.01),
        "far": of(a=1.0, b=0.01),
        "beside": of(a=1.02, b=2.0),
        "alone": of(a=3.0),
    }
    found = shared(own, trained, lambda name: name, 0.01)
    assert found["near"] == {}
    assert set(found["far"]) == {"a"}
    assert set(found["beside"]) == {"a", "b"}
    for mode in ("far", "beside"):
        assert torch.allclose(found[mode]["a"][0], torch.tensor(1.01))
    assert torch.equal(found["beside"]["b"][0], own["beside"]["b"][0])
    assert torch.equal(found["alone"]["a"][0], own["alone"]["a"][0])


def test_a_part_is_shared_as_a_whole_and_only_by_modes_with_the_same_norms_of_it() -> None:
    trained = of(a=0.0, b=0.0)
    own = {"one": of(a=2.0, b=2.0), "two": of(a=2.0, b=4.0), "less": of(a=2.0)}
    found = shared(own, trained, lambda _: "part", 0.01)
    assert [set(found[mode]) for mode in own] == [{"a", "b"}, {"a", "b"}, {"a"}]
    assert torch.equal(found["two"]["b"][0], own["two"]["b"][0])
    # On the mean over both, what differs in one is near.
    assert shared(own, trained, lambda _: "part", 2.0)["one"]["b"][0][0] == 3.0


def test_without_tolerance_only_equal_statistics_are_shared() -> None:
    trained = of(a=0.0)
    found = shared({"same": of(a=0.0), "one": of(a=1.0), "two": of(a=1.0001)}, trained, lambda name: name, 0.0)
    assert found["same"] == {}
    assert float(found["one"]["a"][0][0]) == 1.0
    assert found["two"]["a"][0][0] != 1.0
