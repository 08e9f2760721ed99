# SPDX-License-Identifier: Apache-2.0
"""Trainings of seconds: tiny networks, toy images, and the settings for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.recipe.sections.network import ModelSection
from dimmer.pipeline.recipe.sections.training import PolishSection, QatSection, TeacherSection
from dimmer.pipeline.training.gate_settings import GateSettings
from dimmer.pipeline.training.settings import TrainingSettings
from dimmer.pipeline.training.trainer import Trainer

CPU = torch.device("cpu")

RECIPE = """\
[model]
family = "resnet"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [4, 8]

[train]
epochs = 3
batch = 16
lr = 0.1
momentum = 0.9
weight_decay = 5e-4
warmup = 0.1
alpha = 0.5
temperature = 2.0
seed = 1

[train.augmentation]
pad = 1
flip = true
rotate = 5.0
"""

GATES = """\
[model]
family = "resnet"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [4, 8]
bits = [8, 4, 2]

[train]
epochs = 2
batch = 32
lr = 0.1
momentum = 0.9
weight_decay = 5e-4
warmup = 0.1
alpha = 0.5
temperature = 2.0
seed = 1

[qat]
epochs = 1

[gates]
warmup_epochs = 5
front_images = 100
epochs = 10
tune_epochs = 2
batch = 64
lr = 0.001
cost_weight = 1.0
lowest_budget = 0.1
budgets = [0.9, 0.5, 0.25, 0.12]
"""


def bright_or_dark() -> Dataset:
    """Two classes, 8x8: bright noise and dark noise."""
    rng = np.random.default_rng(0)

    def split(size: int) -> Split:
        labels = rng.integers(0, 2, size)
        images = rng.integers(0, 120, (size, 8, 8, 1)) + 120 * labels[:, None, None, None]
        return Split(images.astype(np.uint8), labels)

    return Dataset("tiny", ("dark", "bright"), (8, 8, 1), split(70), split(20), split(20))


def stripes() -> Dataset:
    """Three classes by direction of a noisy grating, 8x8."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:8, :8]
    waves = np.stack([np.sin(rows * 1.6), np.sin(columns * 1.6), np.sin((rows + columns) * 1.1)])

    def split(size: int) -> Split:
        labels = rng.integers(0, 3, size)
        images = 128 + 60 * waves[labels] + rng.normal(0, 45, (size, 8, 8))
        return Split(np.clip(images, 0, 255).astype(np.uint8)[..., None], labels)

    return Dataset("tiny", ("rows", "columns", "slanted"), (8, 8, 1), split(640), split(200), split(200))


def recipe_in(folder: Path, text: str = RECIPE) -> Recipe:
    """A recipe of the model "tiny"."""
    (folder / "tiny").mkdir()
    (folder / "tiny" / "recipe.toml").write_text(text)
    return load_recipe(folder / "tiny")


def with_config(model: ModelSection, **changes: tuple[int, ...]) -> ModelSection:
    """The section with another shape of its network."""
    config = model.config
    assert isinstance(config, ResNetConfig)
    return dataclasses.replace(model, config=dataclasses.replace(config, **changes))  # type: ignore[arg-type]


def last_weight(network: Network) -> Tensor:
    """The last layer's weight."""
    assert isinstance(network, ResNet)
    return network.fc.weight


def small_settings() -> TrainingSettings:
    """Those of `RECIPE`, whose file is nowhere: for tests that train a few steps."""
    recipe = load_recipe("mnist5k-r14")
    model = with_config(recipe.model, mandatory=(1, 1), skippable=(1, 1), widths=(4, 8))
    train = dataclasses.replace(recipe.train, epochs=3, batch=16)
    return TrainingSettings("tiny", Path("tiny", "recipe.toml"), model, train)


def with_train(settings: TrainingSettings, **changes: object) -> TrainingSettings:
    """The settings with another [train]."""
    return dataclasses.replace(settings, train=dataclasses.replace(settings.train, **changes))  # type: ignore[arg-type]


def narrow(settings: TrainingSettings, **qat: float) -> TrainingSettings:
    """The settings with one more epoch for blocks of 4 and 2 bits."""
    model = with_config(settings.model, bits=(8, 4, 2))
    section = QatSection(**{"epochs": 1, **qat})  # type: ignore[arg-type]
    return dataclasses.replace(settings, model=model, qat=section)


def taught(settings: TrainingSettings, weight: float = 0.5) -> TrainingSettings:
    """The settings with a teacher twice as wide, trained for one epoch."""
    teacher = TeacherSection(widths=(8, 16), epochs=1, weight=weight, temperature=3.0)
    return dataclasses.replace(settings, teacher=teacher)


def polished(settings: TrainingSettings, epochs: int = 1) -> TrainingSettings:
    """The settings with narrow widths and polish."""
    return dataclasses.replace(narrow(settings), polish=PolishSection(epochs=epochs, lr=0.05))


def trainer_of(settings: TrainingSettings) -> Trainer:
    """The untrained network, on the CPU."""
    return Trainer(settings.untrained(), settings.train, CPU, alone=settings.alone is not None)


def with_gates(settings: GateSettings, **changes: object) -> GateSettings:
    """The settings with another [gates]."""
    return dataclasses.replace(settings, gates=dataclasses.replace(settings.gates, **changes))  # type: ignore[arg-type]


def short(settings: GateSettings, **changes: object) -> GateSettings:
    """The settings with an epoch of each step, few images and one budget."""
    few = {"warmup_epochs": 1, "epochs": 1, "tune_epochs": 1, "images": 192, "budgets": (0.5,)}
    return with_gates(settings, **{**few, **changes})


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors as they are now."""
    return {name: tensor.clone() for name, tensor in tensors.items()}


def changed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> set[str]:
    """Names of the tensors that differ."""
    return {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
