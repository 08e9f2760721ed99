# SPDX-License-Identifier: Apache-2.0
"""Gates in front of their float network."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.gates.network import GatedNetwork, Outcome
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.recipe.sections.gates import GatesSection
from dimmer.pipeline.training import gated as training
from dimmer.pipeline.training.gated import choices, levels, make_gated, measure
from tests.pipeline.training.small import stripes


@pytest.fixture
def gated(backbone: tuple[Recipe, Path]) -> GatedNetwork:
    recipe, checkpoint = backbone
    torch.manual_seed(0)
    return make_gated(load_network(recipe, checkpoint), recipe.gates)


def test_what_is_measured_is_what_the_gates_choose(gated: GatedNetwork) -> None:
    test = stripes().test
    found = measure(gated, test, 0.5)
    bits = choices(gated, test, 0.5)
    assert bits.shape == (200, 4)
    names = Counter(f"{a}{b}.{c}{d}" for a, b, c, d in bits.tolist())
    assert found.modes == names
    costs = [gated.cost.relative(Mode.parse(name)) * count for name, count in names.items()]
    assert found.cost == pytest.approx(sum(costs) / 200, rel=1e-5)
    assert list(found.modes.values()) == sorted(found.modes.values(), reverse=True)


def test_the_first_images_can_stand_for_all(gated: GatedNetwork) -> None:
    assert sum(measure(gated, stripes().test, 0.5, 30).modes.values()) == 30
    assert sum(measure(gated, stripes().test, 0.5, 3000).modes.values()) == 200


def test_equal_seeds_give_equal_gates_and_trained_ones_are_taken(backbone: tuple[Recipe, Path]) -> None:
    recipe, checkpoint = backbone
    network = load_network(recipe, checkpoint)
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(make_gated(network, recipe.gates))
    one, same, other = (choices(gated, stripes().test, 0.9) for gated in made)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert make_gated(network, recipe.gates, made[0].gates).gates is made[0].gates


def test_a_budget_reaches_every_image_as_a_level() -> None:
    assert levels(1.0, torch.zeros(3, 1, 8, 8)).tolist() == [255.0] * 3
    assert levels(0.5, torch.zeros(1, 1, 8, 8)).tolist() == [204.0]


def test_a_mode_of_pairs_has_its_letters(gated: GatedNetwork) -> None:
    torch.manual_seed(0)
    config = gated.network.config
    assert isinstance(config, ResNetConfig)
    pairs = make_gated(ResNet(replace(config, bits=(8, 48, 24))), GatesSection(options=(8, 48, 24)))
    test = stripes().test
    names = Counter(str(Mode.staged(row, (2, 2))) for row in choices(pairs, test, 0.3).tolist())
    assert measure(pairs, test, 0.3).modes == names
    assert set("ca") & set("".join(names))


def test_a_mode_over_8_bits_has_one_name_whatever_is_in_its_batch(
    gated: GatedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = make_gated(gated.network, GatesSection(options=(32, 8, 4)))
    rows = torch.tensor([[32, 8, 8, 4], [8, 8, 4, 4]]).repeat(100, 1)
    monkeypatch.setattr(Outcome, "bits", lambda outcome: rows[: len(outcome.logits)])
    at_once = measure(wide, stripes().test, 0.5).modes
    assert at_once == {"32,8.8,4": 100, "8,8.4,4": 100}
    rows = torch.tensor([[8, 8, 4, 4]])
    monkeypatch.setattr(training, "_EVAL_BATCH", 1)
    assert measure(wide, stripes().test, 0.5).modes == {"8,8.4,4": 200}
