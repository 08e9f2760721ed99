# SPDX-License-Identifier: Apache-2.0
"""Accuracy and loss of a network in a mode."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dimmer.pipeline.data.dataset import Split
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.data.given_back import limit_of
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.measure import accuracy, float32_convolutions, measure
from dimmer.pipeline.networks.tasks import distillation, right
from tests.pipeline.networks.anomalies import anomalies, autoencoder
from tests.pipeline.networks.narrow_resnet import narrow_resnet


def test_right_answers_and_the_loss_are_those_of_all_batches() -> None:
    torch.manual_seed(0)
    images, labels = torch.randn(600, 3, 1, 1), torch.randint(0, 3, (600,))
    found = measure(lambda batch: batch.flatten(1), images, labels)
    logits = images.flatten(1)
    assert found.correct.tolist() == (logits.argmax(1) == labels).tolist()
    assert found.loss == pytest.approx(float(-logits.log_softmax(1)[range(600), labels].mean()), rel=1e-5)
    assert found.accuracy == pytest.approx(sum(found.correct.tolist()) / 600)


@pytest.mark.parametrize("count", [3, 251])
def test_accuracy_is_the_percentage_of_the_mode_in_eval_mode(count: int) -> None:
    network, mode = narrow_resnet(), Mode.parse("84.20")
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1)).astype(np.uint8)
    with torch.no_grad():
        predicted = network(to_input(images), mode).argmax(1).numpy()
    labels = predicted.astype(np.int64)
    labels[0] = (labels[0] + 1) % 3
    found = accuracy(network.train(), Split(images, labels), mode)
    assert found == pytest.approx(100 * (count - 1) / count)
    assert not network.training


def test_anomalies_of_the_test_samples_are_told_by_the_limit_of_validation() -> None:
    network, data, mode = autoencoder(), anomalies(), Mode.parse("88.8.88")
    with torch.no_grad():
        of_val, of_test = (network(to_input(split.images), mode).numpy() for split in (data.val, data.test))
    limit = limit_of(of_val, data.val.labels)
    honest = 100 * right(of_test, data.test.labels, limit).mean()
    tuned = 100 * right(of_test, data.test.labels, limit_of(of_test, data.test.labels)).mean()
    assert honest < tuned, "else this shows nothing"
    assert accuracy(network, data.test, mode, validation=data.val) == pytest.approx(honest)
    chosen = measure(lambda x: network(x, mode), to_input(data.val.images), torch.from_numpy(data.val.labels))
    assert chosen.limit == pytest.approx(limit)
    test = to_input(data.test.images), torch.from_numpy(data.test.labels)
    assert 100 * measure(lambda x: network(x, mode), *test, chosen.limit).accuracy == pytest.approx(honest)


def test_only_a_gpu_needs_a_context_for_float32() -> None:
    before = torch.backends.cudnn.allow_tf32
    with float32_convolutions(torch.device("cpu")):
        assert torch.backends.cudnn.allow_tf32 == before
    with float32_convolutions(torch.device("cuda")):
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before


def test_distillation_grows_with_the_distance_and_is_zero_for_equal_outputs() -> None:
    teacher = torch.tensor([[3.0, 0.0, -1.0]])
    near, far = teacher + torch.tensor([0.1, 0.0, 0.0]), -teacher
    assert float(distillation(teacher + 7, teacher, 2.0)) == pytest.approx(0, abs=1e-6)
    assert 0 < float(distillation(near, teacher, 2.0)) < float(distillation(far, teacher, 2.0))
