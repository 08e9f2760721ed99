# SPDX-License-Identifier: Apache-2.0
"""Polish."""

import numpy as np
import torch

from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.recipe.sections.training import PolishSection
from dimmer.pipeline.training.kinds.polish import Polish
from dimmer.pipeline.training.phases import Phase
from dimmer.pipeline.training.trainer import Trainer
from tests.pipeline.training.small import (
    bright_or_dark,
    changed,
    copied,
    last_weight,
    narrow,
    small_settings,
    trainer_of,
)


def polish(settings: PolishSection | None = None) -> tuple[Trainer, Polish]:
    trainer = trainer_of(narrow(small_settings()))
    return trainer, Polish(Phase(0, 1, 0.1, 0.0), trainer, settings or PolishSection(), 2.0)


def test_a_step_of_polish_pulls_one_mode_towards_the_super_net_as_it_was() -> None:
    trainer, kind = polish()
    x, mode = to_input(bright_or_dark().train.images[:64]), Mode.parse("44.44")
    kind.prepare()
    before = copied(trainer.network.state_dict())
    trainer.network.train()
    losses = [float(kind.teach(x, mode, 0.02).main) for _ in range(12)]
    assert losses[-1] < 0.7 * losses[0]
    frozen = {name.removeprefix("frozen."): tensor for name, tensor in kind.state().items()}
    assert frozen.keys() == before.keys()
    assert not changed(before, frozen)
    norms = changed(before, trainer.network.state_dict())
    assert any(".of_bits.4.executed." in name for name in norms)
    assert not any(".of_bits.8." in name or ".of_bits.2." in name or ".skipped." in name for name in norms)


def test_the_mode_of_a_step_is_drawn_as_the_settings_say() -> None:
    trainer, kind = polish(PolishSection(lowest=1.0))
    kind.prepare()
    trainer.network.train()
    before = copied(trainer.network.state_dict())
    rng = np.random.default_rng(0)
    for i in range(6):
        kind.step(torch.rand(8, 1, 28, 28), torch.arange(8), 0.01, rng, i)
    norms = {name for name in changed(before, trainer.network.state_dict()) if ".of_bits." in name}
    assert any(".skipped." in name for name in norms)
    assert any(".executed." in name for name in norms)
    assert all(".of_bits.2." in name for name in norms)


def test_the_momenta_of_the_epochs_before_are_forgotten() -> None:
    trainer, kind = polish()
    weight = last_weight(trainer.network)
    trainer.begin(0.1)
    weight.grad = torch.ones_like(weight)
    trainer.update()
    kind.prepare()
    assert not trainer.optimizer.state[weight]


def test_the_frozen_network_is_saved_and_taken_up_and_nothing_before_the_polish_began() -> None:
    trainer, kind = polish()
    assert kind.state() == {}
    kind.restore({"network.fc.weight": last_weight(trainer.network)})
    assert kind.state() == {}
    kind.prepare()
    saved = copied(kind.state())
    _, other = polish()
    torch.nn.init.zeros_(last_weight(trainer.network))
    other.restore(saved)
    assert saved.keys() == other.state().keys()
    assert not changed(saved, other.state())
