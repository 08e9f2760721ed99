# SPDX-License-Identifier: Apache-2.0
"""How gates and backbone learn from a batch."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.networks.gates.budget import budget_level, level_budget
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.training.gate_settings import GateSettings
from dimmer.pipeline.training.gate_trainer import GatedBatch, GateTrainer, sample_budget
from tests.pipeline.training.small import CPU, changed, copied, short, stripes


def trainer_of(backbone: tuple[Recipe, Path], **changes: object) -> GateTrainer:
    recipe, checkpoint = backbone
    settings = short(GateSettings.of(recipe), **changes)
    network = load_network(recipe, checkpoint)
    return GateTrainer(network, settings.gates, settings.train, settings.qat, CPU)


def test_parts_of_a_training_make_no_joint_step_smaller(backbone: tuple[Recipe, Path]) -> None:
    recipe, checkpoint = backbone
    settings = short(GateSettings.of(recipe), backbone_lr=0.01)
    moved = []
    for parts in (1, 4):
        train = dataclasses.replace(settings.train, accumulate=parts)
        trainer = GateTrainer(load_network(recipe, checkpoint), settings.gates, train, settings.qat, CPU)
        before = [p.detach().clone() for p in trainer.backbone.network.parameters()]
        x = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        trainer.backbone.begin(0.01)
        trainer.step(x, [0.5], 0.001, lambda batch: batch.distilled, joint=True)
        after = trainer.backbone.network.parameters()
        moved.append([(p.detach() - q).norm().item() for p, q in zip(after, before, strict=True)])
    assert max(moved[0]) > 0
    assert moved[0] == moved[1]


def test_budgets_are_drawn_evenly_in_their_logarithm_in_the_steps_of_the_firmware(
    backbone: tuple[Recipe, Path],
) -> None:
    settings, rng = backbone[0].gates, np.random.default_rng(0)
    drawn = [sample_budget(settings, rng) for _ in range(2000)]
    assert min(drawn) == level_budget(budget_level(settings.lowest_budget))
    assert max(drawn) == 1.0
    assert all(level_budget(budget_level(budget)) == budget for budget in drawn[:50])
    assert np.median(drawn) == pytest.approx(np.sqrt(settings.lowest_budget), rel=0.1)


def test_gates_of_one_budget_learn_no_other(backbone: tuple[Recipe, Path]) -> None:
    settings, rng = dataclasses.replace(backbone[0].gates, only_budget=0.25), np.random.default_rng(0)
    nearest = level_budget(budget_level(0.25))
    assert {sample_budget(settings, rng) for _ in range(20)} == {nearest}
    assert nearest == pytest.approx(0.25, rel=0.01)


def test_each_budget_has_an_equal_part_of_the_batch_and_its_own_miss(backbone: tuple[Recipe, Path]) -> None:
    trainer, seen = trainer_of(backbone), list[GatedBatch]()

    def loss(batch: GatedBatch) -> torch.Tensor:
        seen.append(batch)
        return batch.distilled

    losses = trainer.step(torch.randn(30, 1, 8, 8), [0.9, 0.5, 0.3], 0.001, loss)
    (batch,) = seen
    assert [(part.start, part.stop) for part in batch.parts] == [(0, 10), (10, 20), (20, 30)]
    costs = batch.outcome.cost.detach()
    misses = [abs(float(costs[10 * i : 10 * i + 10].mean()) / b - 1) for i, b in enumerate((0.9, 0.5, 0.3))]
    assert losses.miss == pytest.approx(sum(misses) / 3, rel=1e-5)
    assert losses.logits == pytest.approx(batch.distilled.item())


def test_gates_over_their_budget_are_pulled_down_and_those_below_it_up(backbone: tuple[Recipe, Path]) -> None:
    trainer = trainer_of(backbone)
    batches = list[GatedBatch]()

    def keep(batch: GatedBatch) -> torch.Tensor:
        batches.append(batch)
        return batch.distilled

    for budget in (0.01, 10.0):
        trainer.step(torch.randn(8, 1, 8, 8), [budget], 0.0, keep)
    over, under = (trainer.towards_budgets(batch) - batch.distilled for batch in batches)
    assert over > 0
    assert under < 0


def test_a_warm_up_learns_the_best_static_mode_of_each_budget(backbone: tuple[Recipe, Path]) -> None:
    trainer = trainer_of(backbone)
    trainer.find_front(stripes().train.images[:50], lambda share: None)
    assert str(trainer.front[0].mode) == "88.88"
    x = torch.randn(32, 1, 8, 8)
    before = trainer.step(x, [0.2, 1.0], 0.0, trainer.towards_static_modes, alternatives=False)
    for _ in range(40):
        after = trainer.step(x, [0.2, 1.0], 0.03, trainer.towards_static_modes, alternatives=False)
    assert after.miss < before.miss


@pytest.mark.parametrize("backbone_lr", [0.0, 0.01])
def test_a_state_is_taken_up(backbone: tuple[Recipe, Path], backbone_lr: float) -> None:
    trainer = trainer_of(backbone, backbone_lr=backbone_lr)
    x = torch.randn(16, 1, 8, 8)
    trainer.step(x, [0.5], 0.01, trainer.towards_budgets)
    trainer.keep()
    saved = copied(trainer.state())
    assert ("network.stem.conv.weight" in saved) == (backbone_lr > 0)
    trainer.step(x, [0.5], 0.01, trainer.towards_budgets)
    other = trainer_of(backbone, backbone_lr=backbone_lr)
    other.restore(saved)
    assert not changed(saved, other.state())
    other.step(x, [0.5], 0.01, other.towards_budgets)
    assert not changed(trainer.state(), other.state())
    assert other.best.keys() == other.gated.gates.state_dict().keys()
