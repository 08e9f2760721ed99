# SPDX-License-Identifier: Apache-2.0
"""The step of Algorithm 1: its gradients, and whom it teaches from which images."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.tasks import distillation
from dimmer.pipeline.recipe.sections.training import QatSection
from dimmer.pipeline.training.algorithm1 import AdaptiveStep
from dimmer.pipeline.training.losses import Taught, Teacher
from tests.pipeline.training.small import (
    CPU,
    bright_or_dark,
    changed,
    copied,
    narrow,
    small_settings,
    taught,
    trainer_of,
    with_train,
)


def assert_same_gradients(ours: Network, theirs: Network) -> None:
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert one.grad is not None, name
        assert other.grad is not None, name
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5, msg=name)


def assert_same_used_gradients(ours: Network, theirs: Network) -> None:
    """As above, where some modes' norms have none."""
    found = 0
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None), name
        if one.grad is not None and other.grad is not None:
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5, msg=name)
            found += 1
    assert found > 10


def test_one_step_has_the_gradients_of_algorithm_1() -> None:
    """The shared stem must not change what two whole passes, forward and backward, would give."""
    settings = with_train(small_settings(), alpha=0.3, weight_decay=0.0)
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    trainer = trainer_of(settings)
    trainer.network.train()
    AdaptiveStep(trainer, settings.train).take(x, labels, 0.01)

    reference = trainer_of(settings)
    network = reference.network.train()
    teacher = network(x, reference.super)
    (0.6 * F.cross_entropy(teacher, labels)).backward()
    (1.4 * distillation(network(x, network.base_mode()), teacher.detach(), 2.0)).backward()
    assert_same_gradients(trainer.network, network)


def test_a_step_measures_the_losses_that_it_learns_from() -> None:
    settings = small_settings()
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    trainer, reference = trainer_of(settings), trainer_of(settings).network.train()
    trainer.network.train()
    losses = AdaptiveStep(trainer, settings.train).take(x, labels, 0.01)
    logits = reference(x, reference.super_mode())
    base = distillation(reference(x, reference.base_mode()), logits, 2.0)
    assert float(losses.main) == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)
    assert losses.base is not None
    assert float(losses.base) == pytest.approx(base.item(), rel=1e-4)
    assert not losses.main.requires_grad


def test_the_base_net_does_not_teach_the_skippable_blocks() -> None:
    network = small_settings().untrained()
    x = to_input(bright_or_dark().train.images[:16])
    distillation(network(x, network.base_mode()), torch.randn(16, 10), 2.0).backward()
    assert all(p.grad is None for n, p in network.named_parameters() if n.startswith("stages.0.1"))


def test_the_super_net_learns_from_labels_and_teacher() -> None:
    settings = with_train(taught(small_settings(), 0.75), weight_decay=0.0)
    teacher = settings.of_teacher().untrained()
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    alone = dataclasses.replace(settings, alone="super")
    trainer = trainer_of(alone)
    trainer.network.train()
    step = AdaptiveStep(trainer, settings.train, taught=Taught(Teacher(teacher, "fp32", CPU), 0.75, 3.0))
    losses = step.take(x, labels, 0.01)

    network = trainer_of(alone).network.train()
    logits = network(x, network.super_mode())
    told = teacher(x, teacher.super_mode()).detach()
    label_loss = F.cross_entropy(logits, labels)
    (0.25 * label_loss + 0.75 * distillation(logits, told, 3.0)).backward()
    assert_same_gradients(trainer.network, network)
    assert all(p.grad is None for p in teacher.parameters())
    assert float(losses.main) == pytest.approx(label_loss.item(), rel=1e-5)
    assert losses.base is None


def test_students_learn_from_their_part_of_a_batch_and_the_super_net_from_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    halves = narrow(small_settings(), share=0.5)
    trainer = trainer_of(halves)
    seen: list[tuple[str, int, float]] = []
    features = trainer.network.features

    def spy(stem: Tensor, mode: Mode) -> Tensor:
        seen.append((str(mode), len(stem), float(stem.detach().sum())))
        return features(stem, mode)

    monkeypatch.setattr(trainer.network, "features", spy)
    x, labels = torch.rand(8, 1, 28, 28), torch.arange(8)
    AdaptiveStep(trainer, halves.train, halves.qat).take(x, labels, 0.0, (Mode.parse("44.22"),))
    (_, every, whole), (base, first, one), (sampled, last, other) = seen
    assert (every, first, last) == (8, 4, 4)
    assert (base, sampled) == (str(trainer.base), "44.22")
    assert one + other == pytest.approx(whole, rel=1e-4)


def test_narrow_training_has_a_balance_of_its_own() -> None:
    gradients = []
    for alpha in (0.25, 0.75):
        torch.manual_seed(0)
        x, settings = torch.rand(8, 1, 28, 28), narrow(small_settings(), alpha=alpha)
        trainer = trainer_of(settings)
        # Only the super-net has the second block of a stage.
        step = AdaptiveStep(trainer, settings.train, settings.qat)
        step.take(x, torch.arange(8), 0.0, (Mode.parse("40.20"),))
        gradients.append(dict(trainer.network.named_parameters())["stages.0.1.conv1.weight"].grad)
    assert gradients[0] is not None
    assert gradients[1] is not None
    assert torch.allclose(gradients[1], 3 * gradients[0], rtol=1e-3, atol=1e-6)


def test_only_epochs_of_narrow_widths_sample_modes() -> None:
    settings = narrow(small_settings())
    trainer, rng = trainer_of(settings), np.random.default_rng(0)
    assert AdaptiveStep(trainer, settings.train).sample(rng) == ()
    assert len(AdaptiveStep(trainer, settings.train, settings.qat).sample(rng)) == 1
    assert len(AdaptiveStep(trainer, settings.train, QatSection(1, sampled=2)).sample(rng)) == 2


def test_every_sampled_mode_learns_from_the_super_net() -> None:
    settings = with_train(narrow(small_settings()), weight_decay=0.0)
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    modes = Mode.parse("44.44"), Mode.parse("28.80")
    trainer, other = trainer_of(settings), trainer_of(settings).network.train()
    trainer.network.train()
    AdaptiveStep(trainer, settings.train, QatSection(1, sampled=2, alpha=0.25)).take(x, labels, 0.0, modes)

    logits = other(x, other.super_mode())
    (0.5 * F.cross_entropy(logits, labels)).backward()
    for mode in (other.base_mode(), *modes):
        (1.5 * distillation(other(x, mode), logits.detach(), 2.0)).backward()
    assert_same_used_gradients(trainer.network, other)


def test_with_a_frozen_network_each_learns_from_what_it_was_and_nothing_from_labels() -> None:
    settings = with_train(
        narrow(small_settings()), weight_decay=0.0, base_labels=0.5, base_label_weight=1.0, mutual=0.3
    )
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    mode = Mode.parse("44.20")
    trainer = trainer_of(settings)
    reference = trainer_of(settings).network.train()
    trainer.network.train()
    step = AdaptiveStep(trainer, settings.train, QatSection(1, frozen=True, alpha=0.25))
    assert step.frozen is not None
    step.frozen.take()
    told = step.frozen.logits(x), step.frozen.base_logits(x)
    losses = step.take(x, labels, 0.0, (mode,))

    main = distillation(reference(x, reference.super_mode()), told[0], 2.0)
    base = distillation(reference(x, reference.base_mode()), told[1], 2.0)
    (0.5 * main).backward()
    (1.5 * base).backward()
    (1.5 * distillation(reference(x, mode), told[0], 2.0)).backward()
    assert_same_used_gradients(trainer.network, reference)
    assert float(losses.main) == pytest.approx(main.item(), rel=1e-4)
    assert losses.base is not None
    assert float(losses.base) == pytest.approx(base.item(), rel=1e-4)


def test_the_base_net_learns_a_share_of_its_loss_from_the_labels() -> None:
    settings = with_train(small_settings(), alpha=0.3, weight_decay=0.0, base_labels=0.25)
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    trainer = trainer_of(settings)
    trainer.network.train()
    losses = AdaptiveStep(trainer, settings.train).take(x, labels, 0.01)

    network = trainer_of(settings).network.train()
    teacher = network(x, network.super_mode())
    (0.6 * F.cross_entropy(teacher, labels)).backward()
    student = network(x, network.base_mode())
    distilled = distillation(student, teacher.detach(), 2.0)
    (1.4 * (0.75 * distilled + 0.25 * F.cross_entropy(student, labels))).backward()
    assert_same_gradients(trainer.network, network)
    assert losses.base is not None
    assert float(losses.base) == pytest.approx(distilled.item(), rel=1e-4), "the history tells the distillation"


def test_labels_alone_leave_nothing_of_the_super_net_in_the_base_net_s_gradient() -> None:
    settings = with_train(small_settings(), weight_decay=0.0, base_labels=1.0)
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    trainer = trainer_of(settings)
    trainer.network.train()
    AdaptiveStep(trainer, settings.train).take(x, labels, 0.01)
    network = trainer_of(settings).network.train()
    F.cross_entropy(network(x, network.super_mode()), labels).backward()
    F.cross_entropy(network(x, network.base_mode()), labels).backward()
    assert_same_gradients(trainer.network, network)


def test_mutual_learning_teaches_the_super_net_and_not_the_base_net() -> None:
    settings = with_train(small_settings(), weight_decay=0.0, mutual=0.3)
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    trainer = trainer_of(settings)
    trainer.network.train()
    AdaptiveStep(trainer, settings.train).take(x, labels, 0.01)

    network = trainer_of(settings).network.train()
    logits, other = network(x, network.super_mode()), network(x, network.base_mode())
    (F.cross_entropy(logits, labels) + 0.3 * distillation(logits, other.detach(), 2.0)).backward()
    distillation(other, logits.detach(), 2.0).backward()
    assert_same_gradients(trainer.network, network)


def test_a_base_net_that_does_not_learn_yet_keeps_its_norms() -> None:
    settings = small_settings()
    trainer = trainer_of(settings)
    trainer.network.train()
    before = copied(trainer.network.state_dict())
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    losses = AdaptiveStep(trainer, settings.train, base_learns=False).take(x, labels, 0.1)
    moved = changed(before, trainer.network.state_dict())
    assert losses.base is None
    assert "stages.0.1.conv1.weight" in moved
    assert not any(".skipped." in name for name in moved)


def test_the_base_net_s_own_classifier_and_the_super_net_s_learn_apart() -> None:
    settings = with_train(small_settings(), own_classifier=True)
    trainer = trainer_of(settings)
    network = trainer.network.train()
    assert trainer.base is not None
    state = network.state_dict()
    assert torch.equal(state["fc.weight"], state["base_fc.weight"])
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    AdaptiveStep(trainer, settings.train).take(x, labels, 0.1)
    assert not torch.equal(state["fc.weight"], state["base_fc.weight"])
    own, shared = network.get_parameter("base_fc.weight"), network.get_parameter("fc.weight")
    assert own in network.parameters_in(trainer.base)
    assert shared not in network.parameters_in(trainer.base)
    for mode in (trainer.super, Mode.parse("80.88")):
        assert shared in network.parameters_in(mode)
        assert own not in network.parameters_in(mode)
