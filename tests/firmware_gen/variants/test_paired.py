# SPDX-License-Identifier: Apache-2.0
"""Which convolutions take two channels in a halfword, and how weights and parameters lie then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dimmer.firmware_gen.lower.steps import Params, Weights
from dimmer.firmware_gen.variants.dsp import VARIANTS as DSP
from dimmer.firmware_gen.variants.paired import VARIANTS, halfwords, parameters, rescales
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


def test_two_channels_share_a_halfword() -> None:
    codes = np.array([[1, 2, 3, 4, 5], [-1, 0, 1, 0, -1], [7, 7, 7, 7, 7]])
    packed = halfwords(codes)
    assert packed is not None
    values = np.frombuffer(packed.data, "<i2").reshape(2, 2, 2, 2)
    # Four inputs, word, pair of channels, half: of four neighbours the middle ones change places.
    assert values[0, :, 0].tolist() == [[256 - 1, 3 * 256 + 1], [2 * 256, 4 * 256]]
    assert values[0, :, 1].tolist() == [[7 * 256, 7 * 256]] * 2
    assert values[1, :, 0].tolist() == [[5 * 256 - 1, 0], [0, 0]]


def test_weights_whose_pairs_overflow_are_left_alone() -> None:
    assert halfwords(np.full((2, 4), -128)) is None
    assert halfwords(np.full((2, 4), -127)) is not None
    assert not PAIRED.supports(relu(weight=-128))


def test_parameters_lie_as_they_are_read() -> None:
    found = tuple(Rescale(10 + channel, channel, 100 + channel) for channel in range(3))
    plain = parameters((1, 2, 3), found, stepped=False).values
    assert plain == (10, 513, 11, 12, 0, 0, 256, 770)
    stepped = parameters((1, 2, 3), found, stepped=True).values
    assert stepped == (100, 10, 513, 101, 11, 102, 12, 0, 0, 0, 256, 770)


def test_the_settings_replace_weights_and_parameters() -> None:
    step = relu(input_c=3)
    ((_, scratch, made),) = ways(PAIRED, step)
    fields = made.fields
    assert isinstance(fields["weights"], Weights)
    assert isinstance(fields["bias"], Params)
    assert (fields["multipliers"], fields["shifts"], fields["step"]) == (0, 0, 0)
    assert len(fields["weights"].data) == 8 * 28
    assert len(fields["bias"].values) == 2 * 8
    # Eight tiles of 28 inputs, three bytes left of rows of nine, results, and windows of 27 bytes.
    assert scratch == made.scratch_bytes == 4 * 8 * 28 + 2 * 4 + 2 * 8 * 8 + 2 * 27


def test_rows_of_a_kernel_come_in_fours_first() -> None:
    step = relu(input_c=1, output_c=1, kernel_h=2, kernel_w=5)
    codes = np.arange(1, 11, dtype=np.int8)
    values = {**step.fields, "weights": Weights(codes.tobytes(), (1, 2, 5, 1))}
    step = type(step)(step.kernel, tuple(values.values()), step.reads, step.writes, (), 0, 0, "layer")
    ((_, _, made),) = ways(PAIRED, step)
    weights = made.fields["weights"]
    assert isinstance(weights, Weights)
    first = np.frombuffer(weights.data, "<i2").reshape(3, 2, 2, 2)[:, :, 0].reshape(-1) // 256
    assert first.tolist() == [1, 3, 2, 4, 6, 8, 7, 9, 5, 0, 10, 0]


def test_a_layer_without_activation_has_steps() -> None:
    found = rescales(conv(output_zero_point=5))
    assert found is not None
    assert any(rescale.step for rescale in found)
    assert all(not rescale.step for rescale in rescales(relu()) or ())


def test_it_is_cheaper_than_widened_panels() -> None:
    step = relu(kernel_h=1, kernel_w=1, pad_top=0, pad_left=0)
    assert ways(PAIRED, step)[0][0] < ways(named(DSP, "conv2d_s8_dsp"), step)[0][0]
