# SPDX-License-Identifier: Apache-2.0
"""A RESHAPE may take the codes as they are and call their scale another one; where such a move was folded into a
BATCH_MATMUL, the product was rescaled by the scale of the other side.
"""

from __future__ import annotations

from pathlib import Path

from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.tflite_builder import Layers


def in_front(net: Layers) -> tuple[int, int]:
    x = net.activation([1, 4, 6], 0.05, 3, "x")
    other = net.operator("RESHAPE", [x, net.constant("to", [1, 6, 4])], net.activation([1, 6, 4], 0.1, -5, "other"))
    y = net.activation([1, 4, 4], 0.4, 2, "y")
    return x, net.operator("BATCH_MATMUL", [x, other], y, adjX=False, adjY=False)


def behind(net: Layers) -> tuple[int, int]:
    x = net.activation([1, 4, 6], 0.05, 3, "x")
    product = net.activation([1, 4, 4], 0.2, 0, "product")
    net.operator("BATCH_MATMUL", [x, x], product, adjX=False, adjY=True)
    return x, net.operator("RESHAPE", [product, net.constant("to", [1, 16])], net.activation([1, 16], 0.4, 0, "y"))


def test_codes_are_those_of_the_reference(tmp_path: Path) -> None:
    cases = []
    for build in (in_front, behind):
        net = Layers(3)
        path = tmp_path / f"{build.__name__}.tflite"
        path.write_bytes(net.build(*build(net)))
        cases.append(Case(path.stem, path, edge_inputs(path, 4)))
    assert_exact(cases, tmp_path)
