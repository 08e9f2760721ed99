# SPDX-License-Identifier: Apache-2.0
"""The steps in which gates are trained."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.training.gate_kinds import GateKind, gate_kind_at, gate_plan
from dimmer.pipeline.training.gate_settings import GateSettings
from dimmer.pipeline.training.gate_trainer import GateTrainer
from tests.pipeline.training.small import CPU, last_weight, short, stripes


def trained(backbone: tuple[Recipe, Path], **changes: object) -> tuple[GateTrainer, tuple[GateKind, ...]]:
    recipe, checkpoint = backbone
    settings = short(GateSettings.of(recipe), **changes)
    network = load_network(recipe, checkpoint)
    trainer = GateTrainer(network, settings.gates, settings.train, settings.qat, CPU)
    return trainer, gate_plan(trainer)


def test_a_frozen_backbone_is_left_alone(backbone: tuple[Recipe, Path]) -> None:
    frozen, kinds = trained(backbone)
    gates = {name: tensor.clone() for name, tensor in frozen.gated.gates.state_dict().items()}
    for kind in kinds:
        kind.begin(stripes().train.images[:50], lambda share: None)
        kind.teach(torch.randn(32, 1, 8, 8), [0.3, 0.6], 0.01)
    assert [kind.name for kind in kinds] == ["warm-up", "cost", "tuning"]
    original = load_network(backbone[0], backbone[1]).state_dict()
    assert all(torch.equal(t, original[n]) for n, t in frozen.gated.network.state_dict().items())
    assert not torch.equal(frozen.gated.gates.state_dict()["heads.0.weight"], gates["heads.0.weight"])


def test_a_backbone_moves_only_towards_the_cost(backbone: tuple[Recipe, Path]) -> None:
    trainer, kinds = trained(backbone, backbone_lr=0.01)
    moved = []
    for kind in kinds:
        kind.begin(stripes().train.images[:50], lambda share: None)
        before = last_weight(trainer.backbone.network).detach().clone()
        kind.step(torch.randn(32, 1, 8, 8), torch.arange(32) % 3, 0.01, np.random.default_rng(0))
        moved.append(not torch.equal(before, last_weight(trainer.backbone.network)))
    assert moved == [False, True, False]


def test_gates_are_kept_from_any_epoch_over_a_frozen_backbone_and_only_from_the_last_ones_over_a_trained_one(
    backbone: tuple[Recipe, Path],
) -> None:
    assert [kind.keeps for kind in trained(backbone)[1]] == [True, True, True]
    assert [kind.keeps for kind in trained(backbone, backbone_lr=0.01)[1]] == [False, False, True]


def test_the_rate_is_thirty_times_as_high_in_the_warm_up_and_falls_to_zero_in_the_tuning(
    backbone: tuple[Recipe, Path],
) -> None:
    warm, cost, tuning = trained(backbone, lr=0.01, tune_epochs=2)[1]
    assert warm.rate(0, 0.5) == pytest.approx(0.3)
    assert cost.rate(1, 0.5) == 0.01
    assert tuning.rate(2, 0.0) == 0.01
    assert tuning.rate(3, 0.0) == pytest.approx(0.005)
    assert tuning.rate(3, 0.999) < 1e-7


def test_steps_without_epochs_are_left_out(backbone: tuple[Recipe, Path]) -> None:
    kinds = trained(backbone, warmup_epochs=0, epochs=2, tune_epochs=1)[1]
    assert [(kind.name, kind.first, kind.end) for kind in kinds] == [("cost", 0, 2), ("tuning", 2, 3)]
    assert [gate_kind_at(kinds, epoch).name for epoch in range(3)] == ["cost", "cost", "tuning"]
