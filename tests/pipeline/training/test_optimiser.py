# SPDX-License-Identifier: Apache-2.0
"""The optimizer."""

from dataclasses import replace

import torch

from dimmer.pipeline.training.optimiser import make_optimizer
from tests.pipeline.training.small import small_settings


def test_norms_and_biases_have_no_weight_decay() -> None:
    settings = small_settings()
    network = settings.untrained()
    decayed, free = make_optimizer(network, settings.train).param_groups
    assert decayed["weight_decay"] == settings.train.weight_decay
    assert free["weight_decay"] == 0
    assert all(p.ndim == 1 for p in free["params"])
    names = {name for name, p in network.named_parameters() if any(p is q for q in free["params"])}
    assert names == {n for n, _ in network.named_parameters() if "norm" in n or n.endswith("bias")}


def test_adamw_and_plain_sgd() -> None:
    settings = small_settings()
    network = settings.untrained()
    adam = make_optimizer(network, replace(settings.train, optimizer="adamw"))
    assert isinstance(adam, torch.optim.AdamW)
    assert [group["betas"] for group in adam.param_groups] == [(settings.train.momentum, 0.999)] * 2
    assert [group["weight_decay"] for group in adam.param_groups] == [settings.train.weight_decay, 0]
    plain = make_optimizer(network, replace(settings.train, nesterov=False))
    assert [group["nesterov"] for group in plain.param_groups] == [False, False]
