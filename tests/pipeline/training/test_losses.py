# SPDX-License-Identifier: Apache-2.0
"""What networks learn from."""

import dataclasses

import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.tasks import distillation
from dimmer.pipeline.training.loop import trainer_of
from dimmer.pipeline.training.losses import Losses, Taught, Teacher, mean_losses
from tests.pipeline.training.small import CPU, small_settings, with_train


def test_distillation_is_the_kl_divergence_of_softened_outputs() -> None:
    student, teacher = torch.randn(4, 3), torch.randn(4, 3)
    p, q = (teacher / 2).softmax(1), (student / 2).softmax(1)
    expected = 4 * (p * (p / q).log()).sum(1).mean()
    assert torch.allclose(distillation(student, teacher, 2.0), expected)
    assert distillation(teacher, teacher, 2.0).abs() < 1e-6


def test_a_teacher_has_no_gradient_and_its_norms_rest() -> None:
    network = small_settings().untrained().train()
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    assert any(name.endswith("running_mean") for name in before)
    teacher = Teacher(network, "fp32", CPU)
    assert not teacher(torch.rand(4, 1, 28, 28)).requires_grad
    assert all(torch.equal(buffer, before[name]) for name, buffer in network.named_buffers())


def test_a_taught_loss_is_shared_between_labels_and_teacher() -> None:
    teacher = Teacher(small_settings().untrained(), "fp32", CPU)
    x, logits, labels = torch.rand(4, 1, 28, 28), torch.randn(4, 10), torch.tensor(2.0)
    all_of_it = Taught(teacher, weight=1.0, temperature=3.0)
    assert torch.equal(all_of_it(labels, logits, x), distillation(logits, teacher(x), 3.0))
    half = dataclasses.replace(all_of_it, weight=0.5)
    torch.testing.assert_close(half(labels, logits, x), (2.0 + all_of_it(labels, logits, x)) / 2)


def test_the_mean_of_a_batch_s_parts() -> None:
    parts = [Losses(torch.tensor(1.0), torch.tensor(2.0)), Losses(torch.tensor(3.0), torch.tensor(6.0))]
    assert mean_losses(parts) == Losses(torch.tensor(2.0), torch.tensor(4.0))
    assert mean_losses([Losses(torch.tensor(1.0)), Losses(torch.tensor(3.0))]) == Losses(torch.tensor(2.0))
    assert mean_losses(parts[:1]) is parts[0]


def test_half_precision_is_for_gpus() -> None:
    with pytest.raises(DimmerError, match='precision = "fp16" is for CUDA GPUs'):
        trainer_of(with_train(small_settings(), precision="fp16"), torch.device("cpu"))
