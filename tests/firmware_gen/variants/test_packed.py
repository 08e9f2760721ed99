# SPDX-License-Identifier: Apache-2.0
"""Packed pixels in whole networks: which kernels modes get, within their scratch, and that they are exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.variants import features_of
from dimmer.firmware_gen.variants.packed import VARIANTS
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.targets import load_target
from tests.boards import BOARD_PARAMS
from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.narrow_network import Shape, write_modes
from tests.firmware_gen.variants.steps import ways
from tests.firmware_gen.variants.test_packed_plan import narrow

WORD_BOARDS = [
    pytest.param(
        *board.values, marks=[*board.marks, *([pytest.mark.slow] if "v6m" not in str(board.values[0]) else [])]
    )
    for board in BOARD_PARAMS
    if "words" in features_of(load_target(str(board.values[0])).core)
]
SMALL = Shape(10, (8, 12), 2)
MODES = ("88.88", "44.44", "22.22", "84.20", "aa.aa", "cb.4a")


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "rv32imac"])
def test_a_packed_kernel_keeps_a_scratch_limit(tmp_path: Path, core: str) -> None:
    modes = write_modes(tmp_path, Shape(16, (16, 32), 1), ("8.8", "4.4", "2.2"))
    for limit in (6_000, 12_000):
        model = generate(modes, tmp_path / str(limit), scratch_limit=limit, core=core)
        found = [choice for choice in model.choices if "packed" in choice.chosen.kernel]
        assert found
        assert all(choice.chosen.scratch <= choice.allowed for choice in found)


def test_more_scratch_is_faster() -> None:
    found = ways(VARIANTS[0], narrow(127, 2, output_c=16))
    (cost, scratch, _), cheapest = found[0], min(found, key=lambda way: way[1])
    assert cost < cheapest[0]
    assert scratch > cheapest[1]


@pytest.mark.slow
@pytest.mark.parametrize("board", WORD_BOARDS)
def test_whole_modes_are_exact_on_the_board(tmp_path: Path, board: str) -> None:
    modes = write_modes(tmp_path, SMALL, MODES)
    both = sample_inputs(modes[0].path, 1)
    order = Order("packed", modes, PolicyConfig(), both[: len(both) // 2], samples=5)
    figures = make(order, load_target(board), tmp_path / "out", lambda _text, _share: None)
    assert [mode.verify and mode.verify.mismatches for mode in figures.modes] == [0] * len(MODES)
    kernels = {step.kernel for step in figures.steps if step.mode in ("44.44", "22.22", "aa.aa")}
    assert kernels >= {"dimmer_conv2d_s8_packed", "dimmer_conv2d_add_s8_packed"}
    assert "dimmer_conv2d_s8" not in kernels


@pytest.mark.parametrize("mode", ["44.44", "22.22"])
def test_a_mode_alone_is_expected_to_be_as_fast_as_beside_one_of_8_bits(tmp_path: Path, mode: str) -> None:
    alone, beside = (
        generate(write_modes(tmp_path, SMALL, modes), tmp_path / "out", scratch_limit=30_000, core="rv32imac")
        for modes in ((mode,), ("88.88", mode))
    )
    chosen = [{choice.layer: choice.chosen for choice in model.choices} for model in (alone, beside)]
    assert all(chosen[1][layer].instructions >= choice.instructions for layer, choice in chosen[0].items())
    assert any("packed" in choice.kernel for choice in chosen[0].values())


@pytest.mark.slow
def test_modes_alone_are_exact_under_the_sanitizers_whatever_the_scratch(tmp_path: Path) -> None:
    cases = []
    for source in write_modes(tmp_path, SMALL, ("44.40", "22.22")):
        for limit in (3_000, None):
            name = f"{source.name.replace('.', '_')}_{limit}"
            cases.append(Case(name, source.path, edge_inputs(source.path, 2), core="rv32imac", scratch_limit=limit))
    assert_exact(cases, tmp_path)
