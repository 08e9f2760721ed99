# SPDX-License-Identifier: Apache-2.0
"""What networks learn from."""

import dataclasses

import torch

from dimmer.pipeline.networks.tasks import distillation
from dimmer.pipeline.training.losses import Taught, Teacher
from tests.pipeline.training.small import CPU, small_settings


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
