# SPDX-License-Identifier: Apache-2.0
"""State was that of whatever ran before: a second self-test failed, and a board, which runs one command after
the other on the same arena, went on with it in every shard of records.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.order import Order, foreign_order
from dimmer.pipeline.image.protocol import VERIFY, Sizes, run_records
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.pipeline.verification.attached import AttachedBoard
from dimmer.targets import load_target
from dimmer.targets.runners.link import open_port
from tests.firmware_gen.networks import tiny_state
from tests.pipeline.test_validate import attached_elf

BOARD = "nrf52840dk"


def order_of_one(folder: Path) -> Order:
    path = folder / "state.tflite"
    path.write_bytes(tiny_state())
    return foreign_order([path], 4)


@pytest.mark.slow
def test_the_mode_knows_its_answer(tmp_path: Path) -> None:
    order, target = order_of_one(tmp_path), load_target("host")
    compiled = compile_modes(order, order.modes, target, tmp_path / "out")
    assert target.run(compiled.elf, ["selftest"], tmp_path).stdout.count('"ok":true') == 1


@pytest.mark.board(BOARD)
def test_each_shard_begins_anew(tmp_path: Path) -> None:
    order, target = order_of_one(tmp_path), load_target(BOARD)
    compiled = compile_modes(order, order.modes, target, tmp_path / "out")
    model = compiled.model
    sizes, count = Sizes(model.input_bytes, model.output_bytes, model.positions), 2 * VERIFY.shard
    inputs = sample_inputs(order.modes[0].path, count // 2)[: count * sizes.input]

    def record(at: int) -> bytes:
        return bytes(sizes.places) + inputs[at * sizes.input : (at + 1) * sizes.input]

    with attached_elf(target, compiled.elf) as port, open_port(port) as link:
        link.call()
        board = AttachedBoard(link, BOARD)
        # After a self-test, as `dimmer validate` does.
        assert board.run(Path(), ["selftest"], tmp_path).stdout.count('"ok":true') == 1
        assert board.run(Path(), ["selftest"], tmp_path).stdout.count('"ok":true') == 1
        rows = run_records(board, Path(), VERIFY, sizes, count, record)
    said = reference_outputs(order.modes[0].path, inputs, anew=sizes.shard(VERIFY))
    expected = np.frombuffer(said, np.uint8).reshape(count, sizes.output)
    assert not (rows[:, : sizes.output] != expected).any()
