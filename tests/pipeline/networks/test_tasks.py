# SPDX-License-Identifier: Apache-2.0
"""Losses and judgements of each task."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from dimmer.pipeline.data.ends import OutputSection
from dimmer.pipeline.data.packed import packed
from dimmer.pipeline.networks.measure import measure
from dimmer.pipeline.networks.tasks import distillation, imitation, label_loss, limit_chosen_by, right

TARGETS = {
    "classes": torch.tensor([0, 2, 1, 1]),
    "labels": torch.tensor([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]], dtype=torch.uint8),
    "values": torch.tensor([[0.0, -3.0, 8.0], [1.0, 1.0, 1.0], [0.5, 0.0, -9.0], [2.0, 2.0, 2.0]]),
}


@pytest.mark.parametrize("task", TARGETS)
def test_what_learns_by_the_loss_becomes_right(task: str) -> None:
    targets = TARGETS[task]
    outputs = torch.zeros(4, 3, requires_grad=True)
    optimizer = torch.optim.Adam([outputs], lr=0.3)
    for _ in range(100):
        optimizer.zero_grad()
        label_loss(outputs, targets).backward()
        optimizer.step()
    assert right(outputs.detach().numpy(), targets.numpy()).all()
    measured = measure(lambda x: x, outputs.detach(), targets)
    assert measured.accuracy == 1
    assert measured.loss < 0.1


@pytest.mark.parametrize("task", TARGETS)
def test_what_imitates_comes_to_the_teacher_and_not_to_the_targets(task: str) -> None:
    teacher = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    student = torch.zeros(4, 3, requires_grad=True)
    optimizer = torch.optim.Adam([student], lr=0.2)
    for _ in range(300):
        optimizer.zero_grad()
        imitation(student, teacher, TARGETS[task], 2.0).backward()
        optimizer.step()
    apart = student.detach() - teacher
    # A softmax knows no common shift.
    apart = apart - apart.mean(1, keepdim=True) if task == "classes" else apart
    assert apart.abs().max() < 0.1


def test_classes_are_as_they_were() -> None:
    student, teacher = torch.randn(4, 3), torch.randn(4, 3)
    targets = TARGETS["classes"]
    assert torch.equal(label_loss(student, targets), F.cross_entropy(student, targets))
    assert torch.equal(imitation(student, teacher, targets, 2.0), distillation(student, teacher, 2.0))
    assert (right(student.numpy(), targets.numpy()) == (student.argmax(1) == targets).numpy()).all()


def test_every_label_and_every_value_counts() -> None:
    assert right(np.array([[1.0, -1.0], [1.0, 1.0]]), np.array([[1, 0], [1, 0]], np.uint8)).tolist() == [True, False]
    targets = np.array([[0.0, 5.0], [0.0, 5.0]], np.float32)
    assert right(np.array([[1.0, 4.0], [1.1, 5.0]]), targets).tolist() == [True, False]


def test_what_is_given_back_is_right_by_its_error() -> None:
    targets = np.array([[0, 64, -64], [1, 0, 32], [0, 16, 16]], np.int8)
    given = targets[:, 1:] / 64 + np.array([[0.1, -0.1], [1, 1], [0.2, 0.2]])
    with pytest.raises(AssertionError, match="validation"):
        right(given, targets)
    assert right(given, targets, limit_chosen_by(given, targets)).tolist() == [True, True, True]
    assert right(given, targets, 0.02).tolist() == [True, True, False]
    outputs, wanted = torch.tensor(given, dtype=torch.float32), torch.from_numpy(targets)
    assert float(label_loss(outputs, wanted)) == pytest.approx((0.02 + 2 + 0.08) / 6)
    assert float(imitation(outputs, outputs + 1, wanted, 1.0)) == pytest.approx(1.0)


def test_smoothing_shares_the_labels_weight_among_all_classes() -> None:
    logits, labels = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0])
    each = -torch.log_softmax(logits, 1)[0]
    assert float(label_loss(logits, labels, 0.3)) == pytest.approx(float(0.7 * each[0] + 0.3 * each.mean()))


SEVERAL = (
    OutputSection("kind", ("a", "b", "c"), weight=2.0),
    OutputSection("wet", ("rain", "snow", "hail"), "labels"),
    OutputSection("size", ("w", "h", "d"), "values", weight=0.25, decides=False),
)


def several_targets() -> torch.Tensor:
    parts = (TARGETS["classes"][:, None], TARGETS["labels"], TARGETS["values"])
    return torch.from_numpy(packed(SEVERAL, np.concatenate([part.double().numpy() for part in parts], 1)))


def test_several_outputs_have_the_weighted_sum_of_their_losses() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs, teacher = (torch.randn(4, 9, generator=generator) for _ in range(2))
    weights = dict(zip(TARGETS, (2.0, 1.0, 0.25), strict=True))
    places = dict(zip(TARGETS, (slice(0, 3), slice(3, 6), slice(6, 9)), strict=True))
    expected = sum(w * label_loss(outputs[:, places[t]], TARGETS[t]) for t, w in weights.items())
    assert label_loss(outputs, several_targets()) == pytest.approx(float(expected))
    expected = sum(
        w * imitation(outputs[:, places[t]], teacher[:, places[t]], TARGETS[t], 2.0) for t, w in weights.items()
    )
    assert imitation(outputs, teacher, several_targets(), 2.0) == pytest.approx(float(expected))


def test_a_sample_of_several_outputs_is_right_where_all_that_decide_are() -> None:
    targets = several_targets().numpy()
    outputs = np.concatenate(
        [np.eye(3)[TARGETS["classes"].numpy()], TARGETS["labels"].numpy() - 0.5, TARGETS["values"].numpy() + 99], 1
    )
    assert right(outputs, targets).all()
    outputs[1, 2], outputs[1, 0] = 0, 1
    outputs[3, 4] = -1
    assert right(outputs, targets).tolist() == [True, False, True, False]
    assert right(outputs[:0], targets[:0]).shape == (0,)
