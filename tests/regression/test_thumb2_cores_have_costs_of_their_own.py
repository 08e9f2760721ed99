# SPDX-License-Identifier: Apache-2.0
"""A Cortex-M3 had the variants of Cortex-M0+ as well, whose costs are instructions: packed kernels were compared by
those, since they are the smaller numbers, and not by its own cycles.
"""

from __future__ import annotations

from collections import Counter

import pytest

from dimmer.firmware_gen.variants import VARIANTS, features_of
from dimmer.firmware_gen.variants.cores import FEATURES


@pytest.mark.parametrize("core", sorted(core for core, features in FEATURES.items() if "words" in features))
def test_no_kernel_of_a_core_has_two_costs(core: str) -> None:
    own = [variant for variant in VARIANTS if variant.features <= features_of(core) and "words" in variant.features]
    assert own
    assert set(Counter(variant.kernel.name for variant in own).values()) == {1}
