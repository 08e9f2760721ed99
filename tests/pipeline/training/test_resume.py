# SPDX-License-Identifier: Apache-2.0
"""Saved states, and weights that a training starts from."""

import dataclasses
from pathlib import Path

import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import save_tensors
from dimmer.pipeline.training.algorithm1 import AdaptiveStep
from dimmer.pipeline.training.history import Epoch
from dimmer.pipeline.training.resume import load_state, restore_trainer, start_from, trainer_state
from tests.pipeline.training.small import copied, narrow, small_settings, trainer_of, with_train

RUN = {"model": "tiny"}


def test_only_a_state_of_the_same_training_is_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    assert load_state(path, RUN, Epoch) is None
    line = Epoch(1, 0.1, 2.0, None, 90.0, None, 1.5)
    save_tensors(path, {"network.w": torch.ones(2)}, {"run": RUN, "history": [dataclasses.asdict(line)]})
    found = load_state(path, RUN, Epoch)
    assert found is not None
    tensors, lines = found
    assert torch.equal(tensors["network.w"], torch.ones(2))
    assert lines == [line]
    assert load_state(path, {"model": "other"}, Epoch) is None
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DimmerError, match="remove it and train again"):
        load_state(path, RUN, Epoch)
    save_tensors(path, {}, {"run": RUN, "history": [{"epoch": 1}]})
    with pytest.raises(DimmerError, match=r"is no state of a training \(lr is missing\); remove it and train again"):
        load_state(path, RUN, Epoch)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_restored_network_goes_on_in_the_same_bits(optimizer: str) -> None:
    settings = with_train(small_settings(), optimizer=optimizer)
    x, labels = torch.rand(16, 1, 8, 8), torch.arange(16) % 10
    first = trainer_of(settings)
    first.network.train()
    AdaptiveStep(first, settings.train).take(x, labels, 0.1)
    state = copied(trainer_state(first)) | {"frozen.fc.weight": torch.zeros(1)}
    second = trainer_of(dataclasses.replace(settings, train=dataclasses.replace(settings.train, seed=5)))
    restore_trainer(second, state)
    second.network.train()
    for trainer in (first, second):
        AdaptiveStep(trainer, settings.train).take(x, labels, 0.1)
    one, two = trainer_state(first), trainer_state(second)
    assert any(name.startswith(("momentum.", "square.")) for name in one)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_narrow_network_starts_from_a_float_one_or_from_the_norms_of_8_bits() -> None:
    floating = small_settings().untrained()
    network = narrow(small_settings()).untrained()
    start_from(network, floating.state_dict())
    state = network.state_dict()
    for bits in (8, 4, 2):
        name = f"stages.0.0.norm1.of_bits.{bits}.executed.weight"
        assert torch.equal(state[name], floating.state_dict()["stages.0.0.norm1.executed.weight"])
    assert torch.equal(state["fc.weight"], floating.state_dict()["fc.weight"])
    state["stages.0.0.norm1.of_bits.8.executed.weight"].fill_(0.5)
    again = narrow(small_settings()).untrained()
    start_from(again, state)
    assert (again.state_dict()["stages.0.0.norm1.of_bits.2.executed.weight"] == 0.5).all()


def test_another_network_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"no tensor stem\.conv\.weight"):
        start_from(small_settings().untrained(), {})
