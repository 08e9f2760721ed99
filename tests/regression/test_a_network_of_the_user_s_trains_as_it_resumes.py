# SPDX-License-Identifier: Apache-2.0
"""What a network of the user's draws is that of the epoch, so that a training taken up ends in the same bytes; and its
first block may work in place.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.networks.families.adapted import AdaptedNetwork
from dimmer.pipeline.training import loop
from dimmer.pipeline.training.algorithm1 import AdaptiveStep
from dimmer.pipeline.training.settings import TrainingSettings
from dimmer.pipeline.training.trainer import Trainer
from tests.pipeline.networks.families.test_adapted import config
from tests.pipeline.training.small import CPU, RECIPE, recipe_in


def noise() -> Dataset:
    rng = np.random.default_rng(0)

    def split(size: int) -> Split:
        return Split(rng.integers(0, 256, (size, 16, 16, 3), np.uint8), rng.integers(0, 3, size))

    return Dataset("noise", ("a", "b", "c"), (16, 16, 3), split(64), split(20), split(20))


def settings_in(folder: Path) -> TrainingSettings:
    """Of a network with dropout."""
    settings = TrainingSettings.of(recipe_in(folder, RECIPE))
    model = dataclasses.replace(settings.model, family="adapted", config=config())
    return dataclasses.replace(settings, model=model)


def test_an_interrupted_training_with_dropout_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "load_dataset", lambda name: noise())
    settings = settings_in(tmp_path)
    whole = loop.train(settings, tmp_path / "whole").read_bytes()

    def interrupt(text: str, share: float) -> None:
        if share > 0.75:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.train(settings, tmp_path / "cut", progress=interrupt)
    torch.rand(3)
    assert loop.train(settings, tmp_path / "cut").read_bytes() == whole


def test_a_first_block_may_work_in_place(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    network = settings.untrained()
    assert isinstance(network, AdaptedNetwork)
    trainer = Trainer(network, settings.train, CPU)
    x, labels = torch.rand(4, 3, 16, 16), torch.arange(4) % 3
    network.train()

    def in_place(_: nn.Module, inputs: tuple[torch.Tensor, bool]) -> tuple[torch.Tensor, bool]:
        return nn.functional.relu(inputs[0], inplace=True), inputs[1]

    network.get_submodule("stages.0.0").register_forward_pre_hook(in_place)
    AdaptiveStep(trainer, settings.train).take(x, labels, 0.01, ())
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in network.beginning()[0].parameters())
