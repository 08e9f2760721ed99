# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED once used the fixed-point rescaling of convolutions; the reference kernel multiplies in double.

The two differ where a rescaled sum lies close to half a code: 10 of 200 inferences of MLPerf Tiny's ResNet-8.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.firmware_gen.harness import Case, assert_exact
from tests.firmware_gen.tflite_builder import Layers


def sums_near_halves(path: Path, seed: int, exponent: int) -> Case:
    """One output for each sum: those next to a half code, of either sign, given by the bias alone."""
    net = Layers(seed)
    source_scale, weights_scale, factor = (np.float32(value) for value in net.random.uniform(0.5, 1, 3))
    output_scale = np.float32(source_scale * weights_scale / (factor * 2.0**exponent))
    scale = float(source_scale) * float(weights_scale) / float(output_scale)
    halves = np.arange(-120, 120) + 0.5
    sums = np.concatenate([np.round(halves / scale) + near for near in (-1, 0, 1)])
    sums = sums[np.abs(sums) < 2**29].astype(np.int64)
    x = net.activation([1, 1], float(source_scale), 0)
    weights = net.tensor("weights", [len(sums), 1], "int8", float(weights_scale), 0, 0, np.ones(len(sums)))
    bias = net.tensor("bias", [len(sums)], "int32", float(source_scale) * float(weights_scale), 0, 0, sums)
    y = net.activation([1, len(sums)], float(output_scale), 0, "y")
    path.write_bytes(net.build(x, net.operator("FULLY_CONNECTED", [x, weights, bias], y)))
    return Case(path.stem, path, bytes(np.arange(-20, 21).astype(np.int8)))


def test_sums_near_half_a_code(tmp_path: Path) -> None:
    cases = [
        sums_near_halves(tmp_path / f"near_{-exponent}_{seed}.tflite", seed, exponent)
        for exponent in (-24, -16, -8, -5, -2, 0)
        for seed in range(3)
    ]
    assert_exact(cases, tmp_path)
