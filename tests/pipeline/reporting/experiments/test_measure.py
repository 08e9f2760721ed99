# SPDX-License-Identifier: Apache-2.0
"""What a run measures: every depth, those between with the statistics that validation prefers."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch

from dimmer.calibration.batchnorm import recalibrated, statistics
from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.measure import accuracy
from dimmer.pipeline.reporting.experiments import measure
from dimmer.pipeline.reporting.experiments.measure import measure_nets, networks_of, versions
from dimmer.pipeline.reporting.experiments.nulls import measured
from dimmer.pipeline.reporting.experiments.record import unpacked
from dimmer.pipeline.subnets.norms import trained_prefix
from tests.pipeline.networks.anomalies import anomalies, autoencoder
from tests.pipeline.training.small import CPU, narrow, small_settings, stripes


@pytest.fixture(scope="module")
def network() -> Network:
    """Untrained, with statistics of every norm that are those of no network."""
    net = small_settings().untrained()
    generator = torch.Generator().manual_seed(0)
    for name, buffer in net.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.1)
    return net.eval()


def test_a_plain_network_has_one_and_an_adaptive_one_every_depth_and_its_ends_at_every_width(network: Network) -> None:
    assert {name: str(mode) for name, mode in networks_of(network, alone=False).items()} == {
        "super": "88.88",
        "base": "80.80",
        "80.88": "80.88",
        "88.80": "88.80",
    }
    plain = dataclasses.replace(small_settings(), alone="base").untrained()
    assert list(networks_of(plain, alone=True)) == ["super"]
    wide = narrow(small_settings()).untrained()
    names = list(networks_of(wide, alone=False))
    assert names == ["super", "base", "88.80", "80.88", "44.44", "40.40", "22.22", "20.20"]


def test_accuracies_are_those_of_the_network_and_mixed_depths_get_the_better_statistics(network: Network) -> None:
    data = stripes()
    before = statistics(network)
    found = measure_nets(network, data, CPU, 256, 1, alone=False)
    now = statistics(network)
    assert all(
        torch.equal(pair[0], now[name][0]) and torch.equal(pair[1], now[name][1]) for name, pair in before.items()
    )
    for name, mode in networks_of(network, alone=False).items():
        net = found[name]
        assert net.val_as_trained == accuracy(network, data.val, mode)
        assert net.test == pytest.approx(100 * unpacked(net.right, len(data.test)).mean())
        assert net.macs == mode.macs(network.cost())
        if not net.recalibrated:
            assert (net.val, net.test) == (net.val_as_trained, accuracy(network, data.test, mode))
        else:
            assert net.val > net.val_as_trained
    assert not found["super"].recalibrated
    assert not found["base"].recalibrated


def test_a_recalibrated_figure_is_that_of_the_statistics_behind_what_trained_modes_share(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = stripes()
    mode = networks_of(network, alone=False)["80.88"]
    # Whatever they are worth, validation says that they are better.
    right = iter([np.zeros(len(data.val), bool), np.ones(len(data.val), bool), np.ones(len(data.test), bool)])
    seen = []

    def spy(net: Network, *_: object) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        seen.append(statistics(net))
        return next(right)

    monkeypatch.setattr(measure, "_right", spy)
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(7)).numpy()[:256]
    batches = [to_input(data.train.images[part]) for part in (order[:128], order[128:])]
    own = recalibrated(network, partial(network, mode=mode), batches, trained_prefix(network, mode))
    found = measure._measured(network, mode, data, CPU, torch.cat(batches))
    assert found.recalibrated
    assert (found.val_as_trained, found.val, found.test) == (0.0, 100.0, 100.0)
    for name, (mean, var) in own.items():
        assert torch.equal(seen[2][name][0], mean), "the test images are seen with them"
        assert torch.equal(seen[2][name][1], var)


def with_targets(network: Network, data: Dataset, task: str) -> tuple[Network, Dataset]:
    """Of the task; most of the targets are what the network says."""
    if task == "anomalies":
        return autoencoder(), anomalies()

    def of_task(split: Split) -> Split:
        with torch.no_grad():
            said = network(to_input(split.images), network.super_mode()).numpy()
        off = np.arange(len(split)) % 10 == 0
        if task == "values":
            return Split(split.images, np.where(off, 5, 0)[:, None].astype(np.float32) + said)
        return Split(split.images, ((said > 0) ^ off[:, None]).astype(np.uint8))

    return network, dataclasses.replace(data, val=of_task(data.val), test=of_task(data.test))


@pytest.mark.parametrize("task", ["labels", "values", "anomalies"])
def test_every_task_is_measured_as_it_asks(network: Network, task: str) -> None:
    network, data = with_targets(network, stripes(), task)
    found = measure_nets(network, data, CPU, 64, 1, alone=True)["super"]
    mode = network.super_mode()
    assert found.test == accuracy(network, data.test, mode, validation=data.val)
    assert found.val == accuracy(network, data.val, mode)
    assert unpacked(found.right, len(data.test)).mean() == pytest.approx(found.test / 100)
    if task != "anomalies":
        assert found.test == pytest.approx(90)
    of_nulls = measured(network, data, mode, to_input(data.train.images[:64]))
    assert 100 * of_nulls.right.mean() == pytest.approx(found.test)


def test_versions_are_told() -> None:
    assert versions()["torch"] == torch.__version__
    assert set(versions()) == {"python", "torch", "dimmer"}
