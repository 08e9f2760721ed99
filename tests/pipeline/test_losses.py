"""What networks learn from."""

import torch

from dimmer.pipeline.networks.measure import distillation


def test_distillation_is_the_kl_divergence_of_softened_outputs() -> None:
    student, teacher = torch.randn(4, 3), torch.randn(4, 3)
    p, q = (teacher / 2).softmax(1), (student / 2).softmax(1)
    expected = 4 * (p * (p / q).log()).sum(1).mean()
    assert torch.allclose(distillation(student, teacher, 2.0), expected)
    assert distillation(teacher, teacher, 2.0).abs() < 1e-6
