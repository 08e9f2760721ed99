# SPDX-License-Identifier: Apache-2.0
"""Two files that keep state, each in one position, were taken as modes of one firmware: a mode's tensors could lie
where the other one's state was kept.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.tflite_builder import Layers, pack

SHAPE = (1, 4, 1, 4)


def summed(extra: int) -> bytes:
    net = Layers(3)
    x, handle = net.activation(SHAPE, 0.05, 3, "x"), net.variable("sum")
    before = net.operator("READ_VARIABLE", [handle], net.activation(SHAPE, 0.05, 3, "before"))
    y = net.elementwise("ADD", before, x, output=net.activation(SHAPE, 0.05, 3, "y"))
    for number in range(extra):
        y = net.operator("HARD_SWISH", [y], net.activation(SHAPE, 0.05, 3, f"swish_{number}"))
    net.operator("ASSIGN_VARIABLE", [handle, y], [])
    output = net.operator("RELU", [y], net.activation(SHAPE, 0.05, 3, "output"))
    return pack(net.stateful([x], [output], {"sum": np.full(SHAPE, 3)}))


def test_files_with_state_are_no_modes(tmp_path: Path) -> None:
    modes = []
    for extra in (2, 0):
        path = tmp_path / f"swish_{extra}.tflite"
        path.write_bytes(summed(extra))
        modes.append(ModeSource(str(extra), path))
    with pytest.raises(FirmwareGenError, match=r"swish_2\.tflite: it keeps state and is one of 2 modes; give it as "):
        tables_of(modes, PolicyConfig())
    assert all(tables_of([mode], PolicyConfig()).mode_names == (mode.name,) for mode in modes)
