# SPDX-License-Identifier: Apache-2.0
"""Recorded steps: which parameters a mode has, and on a GPU the same network as without recording."""

import dataclasses

import numpy as np
import pytest
import torch

from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.recipe.sections.training import TeacherSection
from dimmer.pipeline.training.algorithm1 import AdaptiveStep
from dimmer.pipeline.training.losses import Taught, Teacher
from dimmer.pipeline.training.recorded import RecordedSteps
from dimmer.pipeline.training.settings import TrainingSettings
from dimmer.pipeline.training.trainer import Trainer
from tests.pipeline.training.small import trainer_of

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU with a CUDA build of torch")


@pytest.fixture
def settings() -> TrainingSettings:
    settings = TrainingSettings.of(load_recipe("cifar10-r14"))
    return dataclasses.replace(
        settings,
        train=dataclasses.replace(settings.train, precision="fp32"),
        qat=dataclasses.replace(settings.qat, precision="fp32", share=0.5),
        teacher=TeacherSection(widths=(32, 64, 128), epochs=1),
    )


def test_the_parameters_of_a_step_are_those_that_get_gradients(settings: TrainingSettings) -> None:
    trainer, rng = trainer_of(settings), np.random.default_rng(0)
    trainer.network.train()
    step = AdaptiveStep(trainer, settings.train, settings.qat)
    x, labels = torch.randn(4, 3, 32, 32), torch.arange(4)
    assert trainer.base is not None
    for _ in range(4):
        (mode,) = step.sample(rng)
        step.take(x, labels, 0.01, (mode,))
        found = {p for p in trainer.network.parameters() if p.grad is not None}
        modes = (trainer.super, trainer.base, mode)
        assert found == set().union(*(trainer.network.parameters_in(m) for m in modes)), str(mode)


def test_a_frozen_parameter_has_no_gradient_that_decays_it(settings: TrainingSettings) -> None:
    trainer = trainer_of(settings)
    frozen, *others = trainer.network.parameters()
    frozen.requires_grad_(False)
    # Recording itself needs a GPU.
    recorded = RecordedSteps.__new__(RecordedSteps)
    recorded._parameters = [frozen, *others]
    recorded._gradients = [torch.zeros_like(parameter) for parameter in recorded._parameters]
    every: set[torch.Tensor] = {frozen, *others}
    for used in (every, None):
        recorded._attach_gradients(used)
        assert frozen.grad is None
        assert all(parameter.grad is not None for parameter in others)


@needs_gpu
@pytest.mark.parametrize("alone", [None, "super"])
def test_recorded_steps_end_in_the_bits_of_plain_ones(
    settings: TrainingSettings, alone: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    settings = dataclasses.replace(settings, alone=alone)
    gpu = torch.device("cuda")
    ends = []
    for record in (False, True):
        network = settings.of_teacher().untrained()
        taught = Taught(Teacher(network, "fp32", gpu), settings.teacher.weight, settings.teacher.temperature)
        trainer = Trainer(settings.untrained(), settings.train, gpu, alone=alone is not None)
        trainer.network.train()
        in_float = AdaptiveStep(trainer, settings.train, taught=taught)
        at_widths = AdaptiveStep(trainer, settings.train, settings.qat, taught)
        recorded = RecordedSteps(trainer)
        rng, losses = np.random.default_rng(5), []
        for i in range(12):
            step = at_widths if i >= 4 and not alone else in_float
            sampled = step.sample(rng)
            x = torch.from_numpy(rng.standard_normal((32, 3, 32, 32), np.float32))
            labels = torch.arange(32) % 10
            batch = (x, labels, 0.02, sampled)
            losses.append(float((recorded.take(step, *batch) if record else step.take(*batch)).main))
        ends.append((losses, {name: t.cpu() for name, t in trainer.network.state_dict().items()}))
    (plain, weights), (recorded_losses, same) = ends
    assert recorded_losses == plain
    assert all(torch.equal(weights[name], same[name]) for name in weights)
