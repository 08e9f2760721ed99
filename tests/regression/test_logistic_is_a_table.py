# SPDX-License-Identifier: Apache-2.0
"""LOGISTIC once followed the fixed-point polynomial of TFLite-Micro; the reference kernel looks up a float table.

The two differ where the input scale is large: 126 against 127. Found by fuzzing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.firmware_gen.harness import Case, assert_exact
from tests.firmware_gen.tflite_builder import Layers

SCALES = (1e-20, 0.001, 0.02, 0.03, 0.0625, 0.1, 0.3, 0.7, 1.0, 2.0, 4.83, 20.0, 1e10)


@pytest.mark.parametrize("scales", [SCALES[::3], pytest.param(SCALES, marks=pytest.mark.slow)])
def test_all_codes_of_many_scales(tmp_path: Path, scales: tuple[float, ...]) -> None:
    cases = []
    for number, scale in enumerate(scales):
        for zero_point in (-128, 25, 127):
            net = Layers(number)
            x = net.activation([1, 256], scale, zero_point)
            y = net.operator("LOGISTIC", [x], net.activation([1, 256], 1 / 256, -128, "y"))
            path = tmp_path / f"logistic_{number}_{zero_point}.tflite"
            path.write_bytes(net.build(x, y))
            cases.append(Case(path.stem, path, bytes(range(256))))
    assert_exact(cases, tmp_path)
