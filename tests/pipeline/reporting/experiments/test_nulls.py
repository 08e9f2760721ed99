# SPDX-License-Identifier: Apache-2.0
"""The nulls: time-sharing, and permuted choices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from dimmer.calibration.batchnorm import statistics
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.gates.network import GatedNetwork
from dimmer.pipeline.networks.measure import accuracy
from dimmer.pipeline.reporting.experiments.nulls import (
    Gated,
    Measured,
    against_time_sharing,
    measured,
    priced,
    right_of,
    right_of_choices,
    right_permuted,
    run_gates,
    uniform_modes,
    value_of_input,
)
from dimmer.pipeline.training.gated import make_gated
from dimmer.pipeline.training.gated import measure as measure_gated
from tests.pipeline.training.small import GATES, narrow, recipe_in, small_settings, stripes


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(3)
    return narrow(small_settings()).untrained().eval()


@pytest.fixture(scope="module")
def gated(network: Network, tmp_path_factory: pytest.TempPathFactory) -> GatedNetwork:
    """Untrained gates, which choose one thing and another."""
    recipe = recipe_in(tmp_path_factory.mktemp("nulls"), GATES)
    torch.manual_seed(11)
    return make_gated(network, recipe.gates).eval()


def test_uniform_modes(network: Network) -> None:
    assert [str(mode) for mode in uniform_modes(network, skipped=False)] == ["88.88", "44.44", "22.22"]
    assert [str(mode) for mode in uniform_modes(network, skipped=True)][:4] == ["88.88", "80.80", "44.44", "40.40"]


def test_a_mode_is_measured_on_test_images_and_left_as_it_was(network: Network) -> None:
    data, before = stripes(), statistics(network)
    norms = to_input(data.train.images[:256])
    for name in ("44.44", "44.22", "80.88"):
        mode = Mode.parse(name)
        found = measured(network, data, mode, norms)
        if not found.recalibrated:
            assert 100 * found.right.mean() == pytest.approx(accuracy(network, data.test, mode))
        assert 100 * found.val >= accuracy(network, data.val, mode) - 1e-9
    assert all(torch.equal(pair[0], statistics(network)[name][0]) for name, pair in before.items())


def test_what_lies_on_the_chord_is_worth_nothing_and_what_lies_over_it_is() -> None:
    """Half of the inferences in each of two modes, of 80 and 90 %: 85 % at the mean cost."""
    images = np.arange(1000)
    dear, cheap = Mode.parse("88.88"), Mode.parse("22.22")
    uniform = {
        dear: Measured(0.9, (images < 900).astype(float), False),
        cheap: Measured(0.8, (images < 800).astype(float), False),
    }
    nulls = priced(uniform, {dear: 2.0, cheap: 1.0}.__getitem__)
    on = against_time_sharing("on", (images < 850).astype(float), 1.5, nulls, "lamps")
    over = against_time_sharing("over", (images < 880).astype(float), 1.5, nulls, "lamps")
    assert on.mixture == {"22.22": 0.5, "88.88": 0.5}
    assert on.above.value == pytest.approx(0.0)
    assert on.above.low < 0 < on.above.high
    assert over.accuracy == pytest.approx(88.0)
    assert over.unit == "lamps"
    assert over.above.value == pytest.approx(3.0)
    assert over.above.low > 0


def test_each_image_runs_with_bits_of_its_own(network: Network, gated: GatedNetwork) -> None:
    test = stripes().test
    found = run_gates(gated, test, 0.5, lambda text, share: None)
    told = measure_gated(gated, test, 0.5)
    assert len(told.modes) > 1
    assert 100 * found.right.mean() == pytest.approx(told.accuracy), "what the gates themselves give"
    sizes = (2, 2)
    assert {str(mode): count for mode, count in found.modes(sizes).items()} == dict(told.modes)
    assert found.mean(sizes, gated.cost.relative) == pytest.approx(told.cost)
    row = np.array([8, 4, 2, 0])
    alone = right_of_choices(network, test, np.tile(row, (len(test), 1)), lambda text, share: None)
    assert np.array_equal(alone, right_of(network, test, Mode.parse("84.20")))


def test_choices_that_do_not_look_at_the_input_are_worth_nothing(network: Network) -> None:
    test = stripes().test
    bits = np.tile([4, 4, 2, 2], (len(test), 1))
    right = right_of_choices(network, test, bits, lambda text, share: None)
    found = value_of_input(0.3, right, right_permuted(network, test, bits, 2, 1))
    assert (found.gained.value, found.accuracy) == (0.0, found.permuted)


class OneClass(ResNet):
    """Says class 0 with 8 bits in its first block, class 1 otherwise."""

    def forward(self, x: torch.Tensor, mode: Mode) -> torch.Tensor:
        return F.one_hot(torch.full((len(x),), int(mode.blocks[0][0] != 8)), 3).float()


def test_choices_that_know_the_answer_are_worth_what_they_gain(network: Network) -> None:
    """A mode for each of two classes of three: two thirds are right, and a third with the choices of other images."""
    assert isinstance(network.config, ResNetConfig)
    test, knowing = stripes().test, OneClass(network.config)
    counts = np.bincount(test.labels, minlength=3) / len(test)
    bits = np.where((test.labels == 0)[:, None], [8, 8, 8, 8], [2, 0, 2, 0])
    right = right_of_choices(knowing, test, bits, lambda text, share: None)
    assert right.tolist() == (test.labels < 2).astype(float).tolist()
    permuted = right_permuted(knowing, test, bits, 20, 1)
    found = value_of_input(0.3, right, permuted)
    expected = counts[0] * counts[0] + (1 - counts[0]) * counts[1]
    assert found.permuted == pytest.approx(100 * expected, abs=2)
    assert found.gained.low > 20
    assert np.array_equal(right_permuted(knowing, test, bits, 20, 1), permuted), "seeded"
    assert not np.array_equal(right_permuted(knowing, test, bits, 20, 2), permuted)


def test_modes_of_gates_are_counted() -> None:
    gated = Gated(0.5, np.array([[8, 4], [8, 4], [2, 0]]), np.ones(3))
    assert {str(mode): count for mode, count in gated.modes((1, 1)).items()} == {"2.0": 1, "8.4": 2}
    assert gated.mean((1, 1), lambda mode: float(mode.blocks[0][0])) == pytest.approx(6.0)
