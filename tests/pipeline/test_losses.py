"""What networks learn from."""

import torch

from dimmer.pipeline.networks.measure import distillation
from dimmer.pipeline.training.losses import label_loss


def test_distillation_is_the_kl_divergence_of_softened_outputs() -> None:
    student, teacher = torch.randn(4, 3), torch.randn(4, 3)
    p, q = (teacher / 2).softmax(1), (student / 2).softmax(1)
    expected = 4 * (p * (p / q).log()).sum(1).mean()
    assert torch.allclose(distillation(student, teacher, 2.0), expected)
    assert distillation(teacher, teacher, 2.0).abs() < 1e-6


def test_weights_of_images_weigh_their_label_losses() -> None:
    logits, labels, weights = torch.randn(4, 3), torch.tensor([0, 1, 2, 0]), torch.tensor([1.0, 2.0, 0.0, 1.0])
    plain, each = label_loss(logits, labels, None)
    assert torch.allclose(plain, each.mean())
    assert torch.allclose(label_loss(logits, labels, weights)[0], (weights * each).mean())
