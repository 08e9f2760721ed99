# SPDX-License-Identifier: Apache-2.0
"""Tiles fill registers and divide the work."""

from __future__ import annotations

from dimmer.pipeline.tvm.dot import ARM, AVX2, PLAIN
from dimmer.pipeline.tvm.schedule import default_tile


def test_default_tiles_fill_registers_and_divide_the_work() -> None:
    for dot in (AVX2, ARM, PLAIN):
        for width, channels in ((32, 16), (16, 32), (8, 64), (28, 16), (7, 64), (1, 16), (13, 8)):
            pixels, vectors = default_tile(width, channels, dot)
            assert width % pixels == 0
            assert channels % (vectors * dot.outputs) == 0
    assert default_tile(32, 16, AVX2) == (4, 2)
    assert default_tile(32, 16, ARM) == (4, 4)
