# SPDX-License-Identifier: Apache-2.0
"""A network that learns: its modes, its optimizer."""

import dataclasses

import pytest
import torch

from dimmer.pipeline.networks.layers.limits import MIN_GAMMA
from tests.pipeline.training.small import last_weight, small_settings, trainer_of


def test_a_network_trained_alone_has_no_base_net() -> None:
    settings = small_settings()
    assert str(trainer_of(settings).base) == "80.80"
    alone = trainer_of(dataclasses.replace(settings, alone="base"))
    assert alone.base is None
    assert str(alone.super) == "8.8"


def test_an_update_keeps_every_gain_positive() -> None:
    trainer = trainer_of(small_settings())
    trainer.begin(lr=10.0)
    for module in trainer.network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.grad = torch.ones_like(module.weight)
    trainer.update()
    gammas = [m.weight for m in trainer.network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert all(torch.equal(gamma, torch.full_like(gamma, MIN_GAMMA)) for gamma in gammas)


def test_a_step_begins_with_its_rate_and_without_gradients_and_momenta_can_be_forgotten() -> None:
    trainer = trainer_of(small_settings())
    weight = last_weight(trainer.network)
    trainer.begin(lr=0.25)
    weight.grad = torch.ones_like(weight)
    before = weight.detach().clone()
    trainer.update()
    # Nesterov's first step is (1 + momentum) gradients; then the weight decay.
    torch.testing.assert_close(before - weight, torch.full_like(weight, 0.25 * 1.9), atol=0.25 * 1e-3, rtol=0)
    trainer.begin(lr=0.25)
    assert weight.grad is None
    assert "momentum_buffer" in trainer.optimizer.state[weight]
    trainer.forget()
    assert not trainer.optimizer.state[weight]


@pytest.mark.parametrize("channels", [1, 4])
def test_images_come_channels_last(channels: int) -> None:
    x = trainer_of(small_settings()).here(torch.rand(2, channels, 8, 8))
    assert x.is_contiguous(memory_format=torch.channels_last)
