# SPDX-License-Identifier: Apache-2.0
"""A RELU that rescales is a step like a QUANTIZE's, with a clamp: fused into the convolution behind it, as cores with
Helium do with a QUANTIZE, it lost that.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.firmware_gen.harness import Case, edge_inputs
from tests.firmware_gen.on_board import assert_exact_on
from tests.firmware_gen.tflite_builder import Layers, window_options


def write(folder: Path, kind: str, zero_point: int, scale: float = 0.05) -> Path:
    net = Layers(3)
    x = net.activation([1, 8, 8, 16], scale, 3, "input")
    y = net.operator(kind, [x], net.activation([1, 8, 8, 16], 0.06, zero_point, "rescaled"))
    path = folder / f"{kind.lower()}{zero_point}_{scale}.tflite".replace("-", "m")
    path.write_bytes(net.build(x, net.conv(y, 16)))
    return path


@pytest.mark.parametrize("name", [pytest.param("mps3-an547", marks=pytest.mark.board("mps3-an547"))])
def test_what_stands_before_a_convolution_is_what_it_reads(tmp_path: Path, name: str) -> None:
    kinds = [("QUANTIZE", -20), ("RELU", -20), ("RELU", 100), ("RELU6", -128), ("RELU6", -20), ("RELU_N1_TO_1", 3)]
    files = [write(tmp_path, kind, zero_point) for kind, zero_point in kinds]
    assert_exact_on(name, [Case(file.stem, file, edge_inputs(file, 4)) for file in files], tmp_path)


@pytest.mark.parametrize("name", [pytest.param("mps2-an386", marks=pytest.mark.board("mps2-an386"))])
def test_a_quantize_that_gives_one_code_alone_is_one(tmp_path: Path, name: str) -> None:
    """Its multiplier is 0, by which records say that there is none before the convolution."""
    cases = []
    for number, scale in enumerate((1e-11, 0.005)):
        net = Layers(3)
        x = net.activation([1, 8, 8, 16], scale, -128, "input")
        y = net.operator("QUANTIZE", [x], net.activation([1, 8, 8, 16], 0.4, -128, "narrow"))
        codes = np.random.default_rng(5).integers(-7, 8, size=(16, 3, 3, 16))
        weights = net.tensor("weights", [16, 3, 3, 16], "int8", [0.01] * 16, 0, 0, codes)
        result = net.activation([1, 8, 8, 16], 0.02, 3, "result")
        options = window_options((1, 1), (1, 1), "SAME", "NONE")
        path = tmp_path / f"narrow{number}.tflite"
        path.write_bytes(net.build(x, net.operator("CONV_2D", [y, weights, net.bias(16)], result, **options)))
        cases.append(Case(path.stem, path, edge_inputs(path, 4)))
    assert_exact_on(name, cases, tmp_path)
