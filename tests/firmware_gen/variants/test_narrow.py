# SPDX-License-Identifier: Apache-2.0
"""Which convolutions have narrow inputs and weights, alone and beside a mode of 8 bits."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.graph.slices import UNITS
from dimmer.firmware_gen.kernels.portable import CONV_2D
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.memory.share import share_blocks
from dimmer.firmware_gen.read.modes import read_modes
from dimmer.firmware_gen.variants.narrow import narrow_form
from tests.firmware_gen.narrow_network import Shape, write_modes
from tests.firmware_gen.variants import steps

SMALL = Shape(10, (8, 12), 2)


def convolutions(folder: Path, *modes: str) -> dict[str, Step]:
    """Of all modes, by their layers and bits."""
    blocks = share_blocks(read_modes(write_modes(folder, SMALL, modes))).blocks
    found = [step for block in blocks for step in block.steps if step.kernel == CONV_2D]
    return {f"{step.layer} {step.fields['weight_bits']}": step for step in found}


@pytest.mark.parametrize("bits", [4, 2])
def test_a_mode_alone_has_the_weights_that_it_has_beside_one_of_8_bits(tmp_path: Path, bits: int) -> None:
    alone = convolutions(tmp_path, f"{bits}{bits}.{bits}{bits}")
    beside = convolutions(tmp_path, "88.88", f"{bits}{bits}.{bits}{bits}")
    compared = 0
    for name, step in alone.items():
        other = beside.get(name.replace(" 8", f" {bits}"))
        if other is None:
            assert narrow_form(step) is None
            continue
        first, second = narrow_form(step), narrow_form(other)
        assert first is not None
        assert second is not None
        assert (first.input_bits, first.weight_bits) == (second.input_bits, second.weight_bits) == (bits, bits)
        np.testing.assert_array_equal(first.slices, second.slices)
        assert second.weights == other.fields["weights"]
        compared += 1
    assert compared == 9


@pytest.mark.parametrize(
    ("weight", "high", "bits"),
    [
        *((7, 3, (2, 2)), (7, 4, (4, 2)), (-7, 15, (4, 2)), (0, 3, (2, 2)), (3, 3, (4, 4)), (-6, 15, (4, 4))),
        *((7, 16, None), (3, 255, None), (8, 3, None), (-8, 3, None)),
    ],
)
def test_it_takes_small_weights_and_inputs_that_are_narrow(
    weight: int, high: int, bits: tuple[int, int] | None
) -> None:
    step = dataclasses.replace(steps.conv(weight), input_high=high - 128)
    found = narrow_form(step)
    assert (found and (found.input_bits, found.weight_bits)) == bits
    if found is not None:
        assert found.unit == UNITS[found.weight_bits]
        assert (found.slices * found.unit == weight).all()


def test_two_bit_weights_beside_four_bit_inputs_are_taken_and_beside_eight_bit_ones_are_not(tmp_path: Path) -> None:
    found = {}
    for mode in ("aa.aa", "bb.bb"):
        (tmp_path / mode).mkdir()
        steps_of_mode = convolutions(tmp_path / mode, "88.88", mode)
        forms = [narrow_form(step) for name, step in steps_of_mode.items() if name.endswith(" 2")]
        found[mode] = {form and (form.input_bits, form.weight_bits, form.apart) for form in forms}
    assert found == {"aa.aa": {(4, 2, True)}, "bb.bb": {None}}


def test_inputs_count_from_their_zero_point() -> None:
    step = dataclasses.replace(steps.conv(1, input_zero_point=-127), input_high=-125)
    assert narrow_form(step) is None
