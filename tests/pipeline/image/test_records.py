# SPDX-License-Identifier: Apache-2.0
"""A firmware over schedules, by the ids of other firmwares."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.records import UNKNOWN_MODE, Record, run_schedules, verify_modes
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.targets import load_target
from tests.pipeline.image.orders import modes_order
from tests.tiny import silent


def test_modes_are_numbered_as_in_the_schedules(tmp_path: Path) -> None:
    target, order = load_target("host"), modes_order(tmp_path)
    compiled = compile_modes(order, order.modes, target, tmp_path / "out")
    size, positions = compiled.model.output_bytes, compiled.model.positions
    images = np.frombuffer(sample_inputs(order.modes[0].path, 2), np.int8).reshape(4, -1)
    # The schedules know two modes: their 0 is this firmware's 2, their 1 its 0.
    records = [Record((mode,) * positions, image) for mode in (0, 1) for image in range(4)]
    ran = run_schedules(target, compiled.elf, (2, 0), records, images, size)
    assert ran.modes.tolist() == [[0] * positions] * 4 + [[1] * positions] * 4
    for part, mode in ((slice(0, 4), 2), (slice(4, 8), 0)):
        assert ran.outputs[part].tobytes() == reference_outputs(order.modes[mode].path, images.tobytes())
    assert UNKNOWN_MODE not in ran.modes


def test_every_input_that_differs_is_a_mismatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, order = load_target("host"), modes_order(tmp_path, samples=3)
    compiled = compile_modes(order, order.modes, target, tmp_path / "out")
    order = replace(order, given=sample_inputs(order.modes[0].path, 1))

    def one_wrong(path: Path, inputs: bytes, anew: int) -> bytes:
        outputs = bytearray(reference_outputs(path, inputs, anew=anew))
        outputs[0] ^= 1
        return bytes(outputs)

    monkeypatch.setattr("dimmer.pipeline.image.records.reference_outputs", one_wrong)
    found = verify_modes(order, target, compiled, silent)
    assert {mode: (line.samples, line.mismatches) for mode, line in found.items()} == {
        mode.name: (5, 1) for mode in order.modes
    }
