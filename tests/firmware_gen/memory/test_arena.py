# SPDX-License-Identifier: Apache-2.0
"""The arena of all modes: slots of stages, operators in place, copies where neither will do."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.memory.arena import Memory, plan_memory
from dimmer.firmware_gen.memory.offsets import aligned
from dimmer.firmware_gen.memory.share import share_blocks
from dimmer.firmware_gen.read.modes import ModeSource, read_modes
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.networks import identity_chain


def plan(sources: list[ModeSource]) -> Memory:
    return plan_memory(share_blocks(read_modes(sources)))


@pytest.mark.parametrize("cut", [True, False])
def test_a_chain_of_identity_blocks_needs_three_tensors(tmp_path: Path, cut: bool) -> None:
    data, boundaries = identity_chain()
    path = tmp_path / "chain.tflite"
    path.write_bytes(data)
    memory = plan([ModeSource("chain", path, boundaries if cut else ())])
    assert memory.arena_without_scratch == 3 * 32 * 32 * 16
    assert memory.arena == memory.lower_bound == 3 * 32 * 32 * 16 + aligned(memory.scratch)


def test_boundaries_of_a_stage_share_one_slot(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    memory = plan(list(modes))
    for mode, source in enumerate(modes):
        offsets = {buffer.name: buffer.offset for buffer in memory.buffers if buffer.mode == mode}
        slots = [offsets[name] for name in source.boundaries if name in offsets]
        assert len(set(slots)) == 1


def test_the_arena_of_all_modes_is_that_of_the_super_net(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    assert plan(list(modes)).arena == plan([modes[0]]).arena


def test_buffers_of_a_mode_do_not_overlap(tmp_path: Path) -> None:
    memory = plan(list(write_modes(tmp_path)))
    for one in memory.buffers:
        for other in memory.buffers:
            if one is other or one.mode != other.mode or one.offset == other.offset:
                continue
            if one.first_step <= other.last_step and other.first_step <= one.last_step:
                assert one.offset + one.size <= other.offset or other.offset + other.size <= one.offset
