# SPDX-License-Identifier: Apache-2.0
"""The notation of modes, and what a mode costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import BITS, Mode, NetworkCost, base_mode, check_mode, depth_patterns, super_mode

COST = NetworkCost(fixed=7, blocks=((10, 20), (30, 40)))

modes = st.lists(st.lists(st.sampled_from(BITS), min_size=1, max_size=4), min_size=1, max_size=4).map(
    lambda stages: Mode(tuple(map(tuple, stages)))
)


@given(modes)
def test_a_mode_is_read_back_as_it_was_written(mode: Mode) -> None:
    assert Mode.parse(str(mode)) == mode


@pytest.mark.parametrize("text", ["", "88.", ".88", "88..80", "87.80", "8 8", "88,80", "-8"])
def test_what_is_not_a_mode_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DimmerError, match=r"is not a mode; .*88\.80\.80"):
        Mode.parse(text)


def test_bits_outside_the_notation_are_refused() -> None:
    with pytest.raises(DimmerError, match="16 bits"):
        Mode(((8, 16),))


def test_super_and_base_net() -> None:
    assert str(super_mode((1, 1, 1), (1, 1, 1))) == "88.88.88"
    assert str(base_mode((1, 1, 1), (1, 1, 1))) == "80.80.80"
    assert str(base_mode((2, 3), (1, 0))) == "880.888"
    assert str(base_mode((2, 3), (1, 0), bits=4)) == "440.444"


def test_depth_patterns_count_from_super_to_base() -> None:
    assert [str(mode) for mode in depth_patterns((1, 1), (1, 2))] == ["88.888", "88.800", "80.888", "80.800"]


def test_a_stage_without_skippable_blocks_has_no_choice() -> None:
    assert [str(mode) for mode in depth_patterns((1, 2), (1, 0))] == ["88.88", "80.88"]


@pytest.mark.parametrize(
    ("text", "flags"),
    [("88.88", (False, False)), ("80.88", (True, False)), ("40.22", (True, False)), ("80.40", (True, True))],
)
def test_a_stage_is_skipped_when_its_whole_skippable_path_has_no_bits(text: str, flags: tuple[bool, ...]) -> None:
    assert Mode.parse(text).skip_flags((1, 1)) == flags


def test_a_partly_executed_sub_path_is_not_skipped() -> None:
    assert Mode.parse("808").skip_flags((1,)) == (False,)
    assert Mode.parse("88").skip_flags((2,)) == (False,)


def test_macs_are_those_of_the_executed_blocks_and_the_fixed_ones() -> None:
    assert Mode.parse("88.88").macs(COST) == 107
    assert Mode.parse("80.84").macs(COST) == 87
    assert Mode.parse("80.80").macs(COST) == 47


def test_bit_operations_count_weights_and_activations() -> None:
    assert Mode.parse("84.20").bit_operations(COST) == 7 * 64 + 10 * 64 + 20 * 16 + 30 * 4
    assert Mode.parse("cb.a0").bit_operations(COST) == 7 * 64 + 10 * 32 + 20 * 16 + 30 * 8


def test_what_is_wide_in_a_narrow_block_counts_with_8_bits() -> None:
    cost = NetworkCost(7, ((10, 20), (30, 40)), ((4, 5), (6, 7)))
    assert Mode.parse("84.20").bit_operations(cost) == 7 * 64 + 10 * 64 + (15 * 16 + 5 * 64) + (24 * 4 + 6 * 64)
    assert cost.block_operations(0, 1, 32) == 20 * 32**2
    assert cost.block_operations(0, 1, 24) == 15 * 8 + 5 * 64


def test_a_mode_of_another_network_is_refused() -> None:
    with pytest.raises(DimmerError, match=r"super-net is written 88\.88"):
        Mode.parse("88").macs(COST)
    with pytest.raises(DimmerError, match=r"super-net is written 88\.88"):
        check_mode(Mode.parse("88.888"), (1, 1), (1, 1))


def test_mandatory_blocks_cannot_be_skipped() -> None:
    check_mode(Mode.parse("80.88"), (1, 1), (1, 1))
    with pytest.raises(DimmerError, match="mandatory block of stage 1"):
        check_mode(Mode.parse("80.08"), (1, 1), (1, 1))


@given(modes)
def test_a_list_of_widths_is_a_mode(mode: Mode) -> None:
    widths = [bits for stage in mode.blocks for bits in stage]
    assert Mode.staged(widths, [len(stage) for stage in mode.blocks]) == mode
