# SPDX-License-Identifier: Apache-2.0
"""Where a row has an odd number of pixels, the last tile of two begins at one that is done already. In a strip of tiles
below each other only the first tile knew that; the others added to a sum what had been added before.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.harness import Case, edge_inputs
from tests.firmware_gen.on_board import assert_exact_on
from tests.firmware_gen.tflite_builder import Layers


def shortcut(seed: int, size: int) -> bytes:
    """A stage's first block: 3x3 with stride 2, and a shortcut of 1x1, whose sum lies where one of them lay."""
    net = Layers(seed)
    x = net.activation([1, size, size, 8], 0.05, -128)
    y = net.conv(net.conv(x, 12, (3, 3), (2, 2), activation="RELU"), 12)
    z = net.conv(x, 12, (1, 1), (2, 2))
    return net.build(x, net.elementwise("ADD", y, z, "RELU", net.activation(net.shape(y), 0.08, -5)))


@pytest.mark.board("mps2-an386")
def test_a_sum_in_place_is_added_once(tmp_path: Path) -> None:
    cases = []
    for seed in range(4):
        for size in (9, 14):
            path = tmp_path / f"{seed}_{size}.tflite"
            path.write_bytes(shortcut(seed, size))
            kernels = generate([ModeSource("m", path)], tmp_path / path.stem, core="cortex-m4").kernels
            assert "dimmer_conv2d_add_s8_paired_dsp" in kernels
            cases.append(Case(path.stem, path, edge_inputs(path, 4), core="cortex-m4"))
    assert_exact_on("mps2-an386", cases, tmp_path)
