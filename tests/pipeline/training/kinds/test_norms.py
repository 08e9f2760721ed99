# SPDX-License-Identifier: Apache-2.0
"""Epochs of norms."""

import numpy as np
import pytest
import torch
from torch import Tensor

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.training.kinds.norms import Norms
from dimmer.pipeline.training.losses import Losses
from dimmer.pipeline.training.phases import Phase
from dimmer.pipeline.training.trainer import Trainer
from dimmer.pipeline.training.widths import narrow_modes
from tests.pipeline.training.small import changed, copied, narrow, small_settings, trainer_of


def norms() -> tuple[Trainer, Norms]:
    trainer = trainer_of(narrow(small_settings()))
    return trainer, Norms(Phase(0, 1, 0.1, 0.0), trainer, "fp32", 2.0)


def test_epochs_of_norms_change_nothing_but_the_norms_of_one_width() -> None:
    trainer, kind = norms()
    for mode in narrow_modes(trainer.network.config):
        before = copied(trainer.network.state_dict())
        kind.teach(torch.rand(8, 1, 28, 28), mode, 0.1)
        bits, skipped = str(mode)[0], "0" in str(mode)
        names = changed(before, trainer.network.state_dict())
        assert all(f".of_bits.{bits}." in name for name in names)
        # Untrained, a network this small is 0 at 2 bits.
        assert any(name.endswith("bias") for name in names) or bits == "2"
        assert any(".skipped." in name for name in names) == skipped
        assert any(".executed." in name for name in names) != skipped
    assert all(parameter.requires_grad for parameter in trainer.network.parameters())


def test_the_narrow_modes_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    _, kind = norms()
    seen: list[str] = []

    def spy(x: Tensor, mode: Mode, lr: float) -> Losses:
        seen.append(str(mode))
        return Losses(torch.zeros(()))

    monkeypatch.setattr(kind, "teach", spy)
    rng = np.random.default_rng(0)
    for i in range(5):
        kind.step(torch.rand(8, 1, 28, 28), torch.arange(8), 0.1, rng, i)
    assert seen == ["44.44", "40.40", "22.22", "20.20", "44.44"]


@pytest.mark.parametrize(
    ("per_epoch", "numbers"), [(4, [0, 1, 2, 3, 0, 1, 2, 3]), (3, [0, 1, 2, 3, 4, 5]), (1, [0, 1])]
)
def test_turns_go_on_over_epochs_that_have_fewer_steps_than_modes(per_epoch: int, numbers: list[int]) -> None:
    _, kind = norms()
    first = kind.phase.first
    assert [kind.number(first + e, i, per_epoch) for e in range(2) for i in range(per_epoch)] == numbers
