# SPDX-License-Identifier: Apache-2.0
"""Modes generated and compiled."""

from pathlib import Path

import numpy as np

from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.records import Record, run_schedules
from dimmer.targets import load_target
from tests.pipeline.image.orders import modes_order


def test_a_switch_in_the_middle_of_an_inference(tmp_path: Path) -> None:
    """The program's own trace tells which mode ran where."""
    target = load_target("host")
    order = modes_order(tmp_path)
    compiled = compile_modes(order, order.modes, target, tmp_path / "out")
    plan = (0, 1, 2, 0, 1)
    image = np.frombuffer(order.known_input, np.int8)[None]
    ran = run_schedules(target, compiled.elf, range(3), [Record(plan, 0)], image, compiled.model.output_bytes)
    assert ran.modes.tolist() == [list(plan)]
    assert ran.outputs.shape == (1, compiled.model.output_bytes)
