# SPDX-License-Identifier: Apache-2.0
"""Which convolutions take two channels in a halfword, and how weights and parameters lie then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dimmer.firmware_gen.lower.steps import Params, Step, Weights
from dimmer.firmware_gen.variants.dsp import VARIANTS as DSP
from dimmer.firmware_gen.variants.paired import VARIANTS, halfwords, parameters, rescales, steps_of
from dimmer.firmware_gen.variants.rounding import Rescale
from tests.firmware_gen.variants.steps import conv, named, ways

PAIRED = named(VARIANTS, "conv2d_s8_paired_dsp")


def relu(**changes: Any) -> Any:
    return conv(output_zero_point=-128, **changes)


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({}, True),
        ({"stride_w": 2}, True),
        ({"dilation_h": 2}, True),
        ({"input_c": 3}, True),
        ({"output_c": 7}, True),
        ({"output_zero_point": 5}, True),
        ({"batches": 2}, False),
        ({"weight_bits": 4}, False),
        ({"shift": -1}, False),
        ({"biases": 1 << 23}, False),
    ],
    ids=str,
)
def test_it_takes_what_it_can_do_exactly(changes: dict[str, Any], taken: bool) -> None:
    assert PAIRED.supports(conv(**{"output_zero_point": -128, **changes})) == taken


def strip_of(step: Step) -> int:
    strip = step.fields["strip"]
    assert isinstance(strip, int)
    return strip


def test_two_channels_share_a_halfword() -> None:
    codes = np.array([[[1, 2, 3, 4, 5]], [[-1, 0, 1, 0, -1]], [[7, 7, 7, 7, 7]]])
    packed = halfwords(steps_of(codes))
    assert packed is not None
    values = np.frombuffer(packed.data, "<i2").reshape(1, 3, 2, 2)
    # Group of channels, step, pair of channels, half: of four neighbours the middle ones change places.
    assert values[0, :, 0].tolist() == [[256 - 1, 3 * 256 + 1], [2 * 256, 4 * 256], [5 * 256 - 1, 0]]
    assert values[0, :, 1].tolist() == [[7 * 256, 7 * 256], [7 * 256, 7 * 256], [7 * 256, 0]]


@pytest.mark.parametrize(
    ("inputs", "steps"),
    [
        (1, [[1, 0]]),
        (2, [[1, 0], [2, 0]]),
        (3, [[1, 3], [2, 0]]),
        (4, [[1, 3], [2, 4]]),
        (6, [[1, 3], [2, 4], [5, 0], [6, 0]]),
    ],
)
def test_a_row_has_steps_of_two_inputs(inputs: int, steps: list[list[int]]) -> None:
    rows = np.arange(1, inputs + 1).reshape(1, 1, inputs).repeat(2, axis=1)
    assert steps_of(rows)[0].tolist() == 2 * steps


def test_weights_whose_pairs_overflow_are_left_alone() -> None:
    assert halfwords(np.full((2, 2, 2), -128)) is None
    assert halfwords(np.full((2, 2, 2), -127)) is not None
    assert not PAIRED.supports(relu(weight=-128))


def test_parameters_lie_as_they_are_read() -> None:
    found = tuple(Rescale(10 + channel, channel, 100 + channel) for channel in range(3))
    stepped = parameters((1, 2, 3), found, stepped=True).values
    assert stepped == (100, 10, 513, 101, 11, 102, 12, 0, 0, 0, 256, 770)
    # Second sums are 2^23 less: 2^31 for the second channel, and to be taken from the first one.
    plain = parameters((1, 2, 3), found, stepped=False).values
    assert plain == (10, 513 - 2**31, 11, 12, -(2**31), 0, 256 - 2**23, 770 - 2**23)


def test_the_settings_replace_weights_and_parameters() -> None:
    step = relu(input_c=3)
    found = ways(PAIRED, step)
    made = found[0][2]
    fields = made.fields
    assert isinstance(fields["weights"], Weights)
    assert isinstance(fields["bias"], Params)
    assert (fields["multipliers"], fields["shifts"], fields["step"]) == (0, 0, 0)
    # Five steps for a row of nine bytes.
    assert len(fields["weights"].data) == 8 * 3 * 5 * 2
    assert len(fields["bias"].values) == 2 * 8
    for _, scratch, strip in found:
        rows = strip_of(strip) + 2
        assert scratch == strip.scratch_bytes == rows * 5 * 8 + 2 * 12


def test_the_more_tiles_at_a_time_the_fewer_cycles() -> None:
    found = sorted(ways(PAIRED, relu(stride_h=2, output_h=8)), key=lambda way: way[1])
    assert [strip_of(made) for _, _, made in found] == [1, 2, 3, 4, 8]
    assert found[-1][0] == min(cost for cost, _, _ in found) < found[0][0]


@pytest.mark.parametrize(
    ("changes", "strips"),
    [
        # Columns of tiles side by side; of tiles of one pixel over another, in half as many rows.
        ({}, 16),
        ({"input_w": 15, "output_w": 15}, 8),
        # Rows of a dilated kernel are those of the next tile only where the stride says so.
        ({"dilation_h": 2}, 1),
        ({"dilation_h": 2, "stride_h": 2, "output_h": 8}, 8),
        # Nothing is held of a pixel that is widened as it lies.
        ({"kernel_h": 1, "kernel_w": 1, "pad_top": 0, "pad_left": 0}, 1),
    ],
    ids=str,
)
def test_tiles_share_what_they_can(changes: dict[str, Any], strips: int) -> None:
    assert max(strip_of(made) for _, _, made in ways(PAIRED, relu(**changes))) == strips


def test_results_that_are_worked_on_need_room() -> None:
    free, clamped = (ways(PAIRED, relu(activation_max=high)) for high in (127, 100))
    sizes = [{strip_of(made): scratch for _, scratch, made in found} for found in (free, clamped)]
    assert all(sizes[1][strip] == sizes[0][strip] + 2 * strip * 8 for strip in sizes[0])


def test_a_layer_without_activation_has_steps() -> None:
    for zero_point, expected in ((5, True), (-128, False)):
        found = rescales(conv(output_zero_point=zero_point))
        assert found is not None
        assert found[1] == expected


@pytest.mark.parametrize(("inputs", "stepped"), [(4096, False), (4100, True)])
def test_a_sum_of_more_turns_than_are_counted_has_steps(inputs: int, stepped: bool) -> None:
    step = relu(weight=1, input_c=inputs, kernel_h=1, kernel_w=1)
    values = {**step.fields, "multipliers": Params((1359514674,) * 8)}
    found = rescales(replace(step, values=tuple(values.values())))
    assert found is not None
    assert found[1] == stepped


def test_it_is_cheaper_than_widened_panels() -> None:
    step = relu(kernel_h=1, kernel_w=1, pad_top=0, pad_left=0)
    assert ways(PAIRED, step)[0][0] < ways(named(DSP, "conv2d_s8_dsp"), step)[0][0]
