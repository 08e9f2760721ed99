# SPDX-License-Identifier: Apache-2.0
"""How often two sets of gates choose alike."""

from __future__ import annotations

import numpy as np

from dimmer.pipeline.networks.gates.agreement import Agreement, compare


def test_blocks_and_whole_inputs_are_counted_apart() -> None:
    first = np.array([[8, 8, 0], [8, 4, 0], [2, 2, 2], [8, 8, 8]])
    second = np.array([[8, 8, 0], [8, 4, 8], [4, 4, 4], [8, 8, 8]])
    assert compare(first, second) == Agreement(blocks=8 / 12, inputs=2 / 4)
    assert compare(first, first) == Agreement(1.0, 1.0)
