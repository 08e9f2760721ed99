# SPDX-License-Identifier: Apache-2.0
"""A data set's splits."""

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.dataset import stratified


def test_stratified_parts_are_disjoint_balanced_shuffled_and_fixed() -> None:
    labels = np.repeat(np.arange(5), 20)
    parts = stratified(labels, (50, 30), seed=3)
    again = stratified(labels, (50, 30), seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
    assert len(np.unique(np.concatenate(parts))) == 80
    assert [np.bincount(labels[part]).tolist() for part in parts] == [[10] * 5, [6] * 5]
    assert (np.diff(labels[parts[0]]) < 0).any()


def test_stratified_refuses_uneven_shares() -> None:
    with pytest.raises(DimmerError, match="equal class shares"):
        stratified(np.repeat(np.arange(3), 10), (10,), seed=0)
