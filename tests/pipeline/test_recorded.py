"""Recorded steps: which parameters a mode has, and on a GPU the same network as without recording."""

import dataclasses

import numpy as np
import pytest
import torch

from dimmer.pipeline.networks import Network, build
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.recipe.sections.training import TeacherSection
from dimmer.pipeline.training.recorded import RecordedSteps
from dimmer.pipeline.training.sampling import sample_mode
from dimmer.pipeline.training.trainer import Trainer

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU with a CUDA build of torch")


@pytest.fixture
def recipe() -> Recipe:
    recipe = load_recipe("cifar10-r14")
    return dataclasses.replace(
        recipe,
        train=dataclasses.replace(recipe.train, precision="fp32"),
        qat=dataclasses.replace(recipe.qat, precision="fp32", share=0.5),
        teacher=TeacherSection(widths=(32, 64, 128), epochs=1),
    )


def teacher_of(recipe: Recipe) -> Network:
    torch.manual_seed(3)
    return build("resnet", recipe.of_teacher().model.config.alone("super"))


def test_the_parameters_of_a_step_are_those_that_get_gradients(recipe: Recipe) -> None:
    trainer, rng = Trainer(recipe, None, torch.device("cpu")), np.random.default_rng(0)
    trainer.network.train()
    x, labels = torch.randn(4, 3, 32, 32), torch.arange(4)
    assert trainer.base is not None
    for _ in range(4):
        mode = sample_mode(trainer.network, recipe.qat, rng)
        trainer.step(x, labels, 0.01, mode)
        found = {p for p in trainer.network.parameters() if p.grad is not None}
        modes = (trainer.super, trainer.base, mode)
        assert found == set().union(*(trainer.network.parameters_in(m) for m in modes)), str(mode)


@needs_gpu
@pytest.mark.parametrize("alone", [None, "super"])
def test_recorded_steps_end_in_the_bits_of_plain_ones(
    recipe: Recipe, alone: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    ends = []
    for record in (False, True):
        trainer = Trainer(recipe, alone, torch.device("cuda"), teacher_of(recipe))
        trainer.network.train()
        steps = RecordedSteps(trainer) if record else trainer
        rng, losses = np.random.default_rng(5), []
        for i in range(12):
            sampled = sample_mode(trainer.network, recipe.qat, rng) if i >= 4 and not alone else None
            x = torch.from_numpy(rng.standard_normal((32, 3, 32, 32), np.float32))
            losses.append(float(steps.step(x, torch.arange(32) % 10, 0.02, sampled).label))
        ends.append((losses, {name: t.cpu() for name, t in trainer.network.state_dict().items()}))
    (plain, weights), (recorded, same) = ends
    assert recorded == plain
    assert all(torch.equal(weights[name], same[name]) for name in weights)
