# SPDX-License-Identifier: Apache-2.0
"""Which steps the variants for Helium take, and what they ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.variants.helium import SUM_TABLE, VARIANTS
from tests.firmware_gen.narrow_network import Shape, write_modes
from tests.firmware_gen.variants.steps import add, conv, depthwise, named, ways

CONV, DEPTHWISE, SUM = (named(VARIANTS, name) for name in ("conv2d_s8_mve", "depthwise_conv2d_s8_mve", "add_s8_mve"))


def test_narrow_modes_need_no_larger_arena_with_helium(tmp_path: Path) -> None:
    shape = Shape(32, (16, 32, 64), 2)
    modes = write_modes(tmp_path, shape, ("88.88.88", "44.44.44", "22.22.22", "84.20.48"))
    models = [
        generate(chosen, tmp_path / "out", scratch_limit=12288, core="cortex-m55") for chosen in (modes[:1], modes)
    ]
    assert models[0].arena == models[1].arena
    assert "dimmer_conv2d_s8_entry_mve" in models[1].kernels
    assert not any("requantize" in kernel for kernel in models[1].kernels)


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({}, True),
        ({"shift": 0}, True),
        ({"shift": 1}, False),
        ({"shift": 4, "weight_bits": 4}, True),
        ({"shift": 5, "weight_bits": 4}, False),
        ({"shift": -32}, False),
        ({"batches": 2}, False),
        ({"output_c": 21845, "kernel_h": 1, "kernel_w": 1}, False),
    ],
    ids=str,
)
def test_a_convolution_may_shift_as_far_as_its_weights_leave_room(changes: dict[str, Any], taken: bool) -> None:
    assert CONV.supports(conv(**changes)) == taken


@pytest.mark.parametrize(
    "changes", [{}, {"input_c": 3}, {"kernel_h": 1, "kernel_w": 1, "pad_top": 0, "pad_left": 0}], ids=str
)
def test_fewer_channels_in_a_pass_need_less_scratch_and_cost_more(changes: dict[str, Any]) -> None:
    found = ways(CONV, conv(**changes))
    smallest = min(found, key=lambda way: way[1])
    assert found[0][2].fields["group"] == 8
    assert smallest[1] < found[0][1]
    assert smallest[0] > found[0][0]
    assert all(made.scratch_bytes == scratch for _, scratch, made in found)


def test_three_by_three_windows_of_whole_vectors_go_by_columns() -> None:
    def columns(**changes: Any) -> set[object]:
        return {made.fields["columns"] for _, _, made in ways(CONV, conv(**changes))}

    assert columns() == {1}
    assert columns(input_c=12) == columns(dilation_h=2) == columns(stride_w=3) == {0}


@pytest.mark.parametrize(
    ("changes", "taken"),
    [({}, True), ({"kernel_h": 4}, True), ({"kernel_h": 5}, False), ({"shift": 0}, False), ({"batches": 2}, False)],
    ids=str,
)
def test_depthwise_windows_have_four_rows_at_most(changes: dict[str, Any], taken: bool) -> None:
    assert DEPTHWISE.supports(depthwise(**changes)) == taken


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({"shift1": 0}, True),
        ({"shift2": 0}, True),
        ({}, False),
        ({"shift1": 0, "left_shift": 18}, False),
        ({"shift1": 0, "broadcast2": 1}, False),
        ({"shift1": 0, "shift_output": 0}, False),
    ],
    ids=str,
)
def test_a_sum_needs_an_input_that_is_only_shifted(changes: dict[str, Any], taken: bool) -> None:
    assert SUM.supports(add(**changes)) == taken
    assert SUM.scratch(add(**changes), {}) == SUM_TABLE
