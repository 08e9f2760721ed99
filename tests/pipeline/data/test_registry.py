# SPDX-License-Identifier: Apache-2.0
"""Data sets by name."""

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.registry import load_dataset


def test_an_unknown_data_set_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DimmerError, match=r"unknown data set 'cifar11'; known are: cifar10, mnist5k"):
        load_dataset("cifar11")
