# SPDX-License-Identifier: Apache-2.0
"""Targets of several outputs say of themselves what they hold."""

from __future__ import annotations

import numpy as np
import torch

from dimmer.pipeline.data.ends import OutputSection
from dimmer.pipeline.data.packed import heads_of, is_packed, packed

OUTPUTS = (
    OutputSection("kind", ("a", "b", "c"), weight=2.0),
    OutputSection("wet", ("rain", "snow"), "labels", decides=False),
    OutputSection("size", ("w", "h"), "values", weight=0.25),
)
TRUTHS = np.array([[2, 1, 0, 0.5, -1.25], [0, 0, 1, 3.0, 1 / 3]])


def test_rows_are_what_was_put_in() -> None:
    targets = packed(OUTPUTS, TRUTHS)
    assert is_packed(targets)
    kind, wet, size = heads_of(targets[1])
    assert [(head.task, head.weight, head.decides) for head in (kind, wet, size)] == [
        ("classes", 2.0, True),
        ("labels", 1.0, False),
        ("values", 0.25, True),
    ]
    assert [head.place for head in (kind, wet, size)] == [slice(0, 3), slice(3, 5), slice(5, 7)]
    assert kind.truth(targets).dtype == np.int64
    assert kind.truth(targets).tolist() == [2, 0]
    assert wet.truth(targets).dtype == np.uint8
    assert wet.truth(targets).tolist() == [[1, 0], [0, 1]]
    assert size.truth(targets).dtype == np.float32
    assert (size.truth(targets) == TRUTHS[:, 3:].astype(np.float32)).all()


def test_tensors_tell_the_same() -> None:
    targets = packed(OUTPUTS, TRUTHS)
    tensor = torch.from_numpy(targets)
    assert heads_of(tensor[0].tolist()) == heads_of(targets[0])
    for head in heads_of(targets[0]):
        own = head.truth_of_tensor(tensor)
        assert own.numpy().dtype == head.truth(targets).dtype
        assert (own.numpy() == head.truth(targets)).all()


def test_targets_of_one_output_are_not_packed() -> None:
    for dtype in (np.int64, np.uint8, np.float32, np.int8):
        assert not is_packed(np.zeros((1, 2), dtype))
