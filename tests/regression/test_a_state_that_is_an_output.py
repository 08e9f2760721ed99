# SPDX-License-Identifier: Apache-2.0
"""Of several outputs, one that is a state as the inference began had the state that it ended with: assignments came
before the outputs were taken.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.tflite_builder import Layers, pack

SHAPE = (1, 2, 1, 4)


def counting(seed: int) -> bytes:
    """Two outputs: what is computed of the sum so far, and the sum before."""
    net = Layers(seed)
    x, handle = net.activation(SHAPE, 0.05, 3, "x"), net.variable("sum")
    before = net.operator("READ_VARIABLE", [handle], net.activation(SHAPE, 0.05, 3, "before"))
    after = net.elementwise("ADD", before, x, output=net.activation(SHAPE, 0.05, 3, "after"))
    net.operator("ASSIGN_VARIABLE", [handle, after], [])
    y = net.operator("RELU", [after], net.activation(SHAPE, 0.05, 3, "y"))
    return pack(net.stateful([x], [y, before][:: 1 if seed else -1], {"sum": np.full(SHAPE, 3)}))


def test_it_is_the_state_before(tmp_path: Path) -> None:
    cases = []
    for seed in range(2):
        path = tmp_path / f"counting_{seed}.tflite"
        path.write_bytes(counting(seed))
        cases.append(Case(path.stem, path, edge_inputs(path, 10, seed)))
    assert_exact(cases, tmp_path)
