# SPDX-License-Identifier: Apache-2.0
"""A network as it was."""

import pytest
import torch

from dimmer.pipeline.training.frozen import Frozen
from tests.pipeline.training.small import changed, copied, last_weight, small_settings, trainer_of


def test_its_logits_stay_whatever_the_network_learns() -> None:
    trainer, x = trainer_of(small_settings()), torch.rand(4, 1, 8, 8)
    frozen = Frozen(trainer, "before.")
    frozen.take()
    network = trainer.network.eval()
    with torch.no_grad():
        expected = network(x, network.super_mode()), network(x, network.base_mode())
    torch.nn.init.zeros_(last_weight(network))
    assert torch.equal(frozen.logits(x), expected[0])
    assert torch.equal(frozen.base_logits(x), expected[1])
    assert not frozen.logits(x).requires_grad


def test_a_state_has_it_and_nothing_before_it_was_taken() -> None:
    trainer = trainer_of(small_settings())
    frozen = Frozen(trainer, "before.")
    assert frozen.state() == {}
    frozen.restore({"network.fc.weight": last_weight(trainer.network)})
    assert frozen.state() == {}
    with pytest.raises(AssertionError):
        frozen.logits(torch.rand(4, 1, 8, 8))
    frozen.take()
    saved = copied(frozen.state())
    assert all(name.startswith("before.") for name in saved)
    torch.nn.init.zeros_(last_weight(trainer.network))
    other = Frozen(trainer, "before.")
    other.restore(saved)
    assert saved.keys() == other.state().keys()
    assert not changed(saved, other.state())
