# SPDX-License-Identifier: Apache-2.0
"""What is concatenated was computed in the place of a boundary tensor although the block's input, which lies there
where a mode skips the block, was still to be read: the copy of a row went, and one of the whole tensor came.
"""

from __future__ import annotations

from pathlib import Path

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.kernels.portable import COPY
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.variants.conv import number
from tests.firmware_gen.tflite_builder import Layers


def mode(whole: bool) -> bytes:
    """Rows of 3 bytes: on a core that reads words a convolution cannot put its result behind the first of them."""
    net = Layers(1)
    x = net.activation([1, 4, 1, 3], 0.05, 3, "x")
    y = net.operator("HARD_SWISH", [x], net.activation([1, 4, 1, 3], 0.05, 3, "stem"))
    if whole:
        ends = [net.constant("begin", [0, 1, 0, 0]), net.constant("size", [1, 1, 1, 3])]
        row = net.operator("SLICE", [y, *ends], net.activation([1, 1, 1, 3], 0.05, 3, "row"))
        first = net.operator("HARD_SWISH", [row], net.activation([1, 1, 1, 3], 0.05, 3, "first"))
        rest = net.conv(y, 3, (2, 1), padding="VALID", output=net.activation([1, 3, 1, 3], 0.05, 3, "rest"))
        joined = net.activation([1, 4, 1, 3], 0.05, 3, "joined")
        y = net.operator("CONCATENATION", [first, rest], joined, axis=1)
    return net.build(x, net.operator("RELU", [y], net.activation([1, 4, 1, 3], 0.05, 3, "y")))


def copied(tables: Tables) -> list[int]:
    steps = [step for block in tables.memory.blocks.blocks for step in block.steps if step.kernel == COPY]
    return sorted(number(step, "row_bytes") for step in steps)


def test_no_copy_is_made_for_one_that_is_not(tmp_path: Path) -> None:
    modes = []
    for name, boundaries in (("full", ("stem", "joined")), ("less", ("stem", "stem"))):
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(mode(name == "full"))
        modes.append(ModeSource(name, path, boundaries))
    tables = tables_of(modes, PolicyConfig(), core="cortex-m0plus")
    assert copied(tables) == [3, 9]
