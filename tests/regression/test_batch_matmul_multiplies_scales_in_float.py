# SPDX-License-Identifier: Apache-2.0
"""BATCH_MATMUL once had the multiplier of MUL, a quotient in float32; the interpreter's product alone is in float32.

The two differ in the last bits, and results where a sum lies so close to half a code: 1 of 100 inferences of a vision
transformer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.graph import fixed_point as fp
from tests.firmware_gen.harness import Case, assert_exact
from tests.firmware_gen.tflite_builder import Layers

STEPS = 4
"""So many products of 127 and a code, and one of 1 and a code, give each sum."""
SUMS = np.arange(-STEPS * 127 * 127, STEPS * 127 * 127)


def rescaled(real: float) -> npt.NDArray[np.int64]:
    return fp.requantize_all(SUMS, *fp.quantize_multiplier(real))


def near_halves(path: Path, seed: int) -> Case | None:
    """A column for each sum that one of three ways to round scales makes another code of; None where there is none."""
    net = Layers(seed)
    first, second = (np.float32(value) for value in net.random.uniform(0.01, 0.1, 2))
    output = np.float32(first * second * SUMS[-1] / net.random.uniform(60, 120))
    ways = [
        rescaled(float(first * second / output)),
        rescaled(float(first * second) / float(output)),
        rescaled(float(first) * float(second) / float(output)),
    ]
    sums = SUMS[(ways[0] != ways[1]) | (ways[1] != ways[2])]
    if not len(sums):
        return None
    # As many whole steps of 127 as there are, dealt out, and the rest.
    whole = np.trunc(sums / 127).astype(int)
    dealt = [(whole + at) // STEPS for at in range(STEPS)]
    x = net.activation([1, 1, STEPS + 1], float(first), 0)
    columns = np.stack([*dealt, sums - 127 * whole])
    other = net.tensor("other", [1, STEPS + 1, len(sums)], "int8", float(second), 0, 0, columns[None])
    y = net.activation([1, 1, len(sums)], float(output), 0, "y")
    path.write_bytes(net.build(x, net.operator("BATCH_MATMUL", [x, other], y, adjX=False, adjY=False)))
    return Case(path.stem, path, np.array([127] * STEPS + [1], np.int8).tobytes())


def test_sums_near_half_a_code(tmp_path: Path) -> None:
    made = [near_halves(tmp_path / f"near_{seed}.tflite", seed) for seed in range(300)]
    cases = [case for case in made if case is not None]
    assert len(cases) > 10
    assert_exact(cases, tmp_path)
