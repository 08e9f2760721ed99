# SPDX-License-Identifier: Apache-2.0
"""The instructions that no direct convolution can do without."""

import pytest

from dimmer.benchmarks.bound import bound
from dimmer.benchmarks.count import (
    targets,
)
from dimmer.errors import DimmerError
from dimmer.targets import load_target


def test_every_counting_target_has_a_bound() -> None:
    for name in targets():
        assert bound(1600, load_target(name).core) in (3200, 1600, 800, 100)
    with pytest.raises(DimmerError, match="no bound is known for core z80"):
        bound(1, "z80")
