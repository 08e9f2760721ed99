# SPDX-License-Identifier: Apache-2.0
"""Kernels for narrow inputs: what is proven before one is chosen, and whole networks on the boards."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.kernels.portable import CONV_2D
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.memory.share import share_blocks
from dimmer.firmware_gen.read.modes import read_modes
from dimmer.firmware_gen.variants import features_of
from dimmer.firmware_gen.variants.narrow_dsp import VARIANTS
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.targets import load_target
from tests.boards import CHOSEN_BOARD_PARAMS
from tests.firmware_gen.narrow_network import Shape, write_modes

DSP_BOARDS = [board for board in CHOSEN_BOARD_PARAMS if "packed" in features_of(load_target(str(board.values[0])).core)]
SMALL = Shape(10, (8, 12), 2)
MODES = ("88.88", "44.44", "22.22", "84.20", "42.24", "aa.aa", "cb.4a")


def steps_of(folder: Path, shape: Shape, mode: str) -> list[Step]:
    """The convolutions of a mode's narrow blocks."""
    networks = read_modes(write_modes(folder, shape, [mode.replace("4", "8").replace("2", "8"), mode]))
    blocks = share_blocks(networks).blocks
    return [
        step
        for block in blocks
        for step in block.steps
        if step.kernel == CONV_2D and step.fields["weight_bits"] in (4, 2)
    ]


@pytest.mark.parametrize("mode", ["44.44", "22.22"])
def test_a_narrow_layer_is_supported_if_its_inputs_are_proven_to_be_narrow(tmp_path: Path, mode: str) -> None:
    from dataclasses import replace

    narrow = VARIANTS[0]
    for step in steps_of(tmp_path, SMALL, mode):
        assert narrow.supports(step)
        assert not narrow.supports(replace(step, input_high=step.input_high + 1))


def test_large_weights_are_added_up_in_chunks(tmp_path: Path) -> None:
    terms = {}
    for deviation in (10.0, 120.0):
        (tmp_path / str(deviation)).mkdir()
        step = steps_of(tmp_path / str(deviation), Shape(8, (16,), 1, deviation), "4")[0]
        terms[deviation] = next(iter(VARIANTS[0].settings(step)))["terms"]
    assert terms == {10.0: 48, 120.0: 24}


def test_a_narrow_kernel_keeps_a_scratch_limit(tmp_path: Path) -> None:
    model = generate(write_modes(tmp_path, SMALL, MODES), tmp_path / "out", scratch_limit=3000, core="cortex-m4")
    found = [choice for choice in model.choices if "narrow" in choice.chosen.kernel]
    assert found
    assert all(choice.chosen.scratch <= choice.allowed for choice in found)


@pytest.mark.parametrize("board", DSP_BOARDS)
def test_whole_modes_are_exact_on_the_board(tmp_path: Path, board: str) -> None:
    modes = write_modes(tmp_path, SMALL, MODES)
    both = sample_inputs(modes[0].path, 1)
    order = Order("narrow", modes, PolicyConfig(), both[: len(both) // 2], samples=5)
    figures = make(order, load_target(board), tmp_path / "out", lambda _text, _share: None)
    assert [mode.verify and mode.verify.mismatches for mode in figures.modes] == [0] * len(MODES)
    kernels = {step.kernel for step in figures.steps if step.mode in ("44.44", "22.22")}
    assert kernels >= {"dimmer_conv2d_s8_narrow_dsp", "dimmer_conv2d_add_s8_narrow_dsp"}
    assert not kernels & {"dimmer_conv2d_s8", "dimmer_requantize_s8", "dimmer_requantize_s8_table"}
    apart = {step.kernel for step in figures.steps if step.mode == "aa.aa"}
    assert apart >= {"dimmer_conv2d_s8_apart_dsp", "dimmer_conv2d_add_s8_apart_dsp"}
    sliced = {step.kernel for step in figures.steps if step.mode == "cb.4a"}
    assert not (apart | sliced) & {"dimmer_conv2d_s8", "dimmer_requantize_s8", "dimmer_requantize_s8_table"}
    assert any("sliced" in kernel for kernel in sliced)
    assert not any("sliced" in step.kernel for step in figures.steps if step.mode not in ("cb.4a", "42.24"))


def test_narrow_modes_need_no_larger_arena(tmp_path: Path) -> None:
    shape = Shape(32, (16, 32, 64), 2)
    modes = write_modes(tmp_path, shape, ("88.88.88", "44.44.44", "22.22.22", "84.20.48"))
    arenas = [
        generate(chosen, tmp_path / "out", scratch_limit=26112, core="cortex-m4").arena for chosen in (modes[:1], modes)
    ]
    # The sums of narrow modes may fill what the limit leaves.
    assert arenas[1] - arenas[0] <= 128


@pytest.mark.parametrize("mode", ["44.44", "22.22"])
def test_a_mode_alone_has_the_kernels_that_it_has_beside_one_of_8_bits(tmp_path: Path, mode: str) -> None:
    alone, beside = (
        generate(write_modes(tmp_path, SMALL, modes), tmp_path / "out", scratch_limit=26_112, core="cortex-m4")
        for modes in ((mode,), ("88.88", mode))
    )
    chosen = [
        {(choice.layer, choice.chosen.kernel) for choice in model.choices if "narrow" in choice.chosen.kernel}
        for model in (alone, beside)
    ]
    assert len(chosen[0]) == 9
    assert chosen[0] == chosen[1]
