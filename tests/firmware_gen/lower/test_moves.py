# SPDX-License-Identifier: Apache-2.0
"""Moves by the fewest and longest runs, and by the kernel that takes the least for them."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.options import ResizeBilinear
from dimmer.firmware_gen.kernels.portable import HOLE
from dimmer.firmware_gen.lower.moves import blends, merged
from dimmer.firmware_gen.lower.steps import Buffer, Params
from tests.firmware_gen.lower.lowered import lowered, only, values
from tests.firmware_gen.tflite_builder import Layers


def net_of(*shape: int) -> tuple[Layers, int]:
    net = Layers(0)
    return net, net.activation(shape, 0.1, 5)


def test_neighbours_become_one_run() -> None:
    assert merged([range(0, 24, 12), range(0, 12, 4), range(4)]) == [range(24)]
    assert merged([range(0, 24, 12), range(4, 12, 4), range(4)]) == [range(0, 24, 12), range(4, 12)]
    assert merged([range(12, 24, 12), range(0, 12, 4), range(1, 2)]) == [range(13, 25, 4)]
    assert merged([(0, 4, 8), range(4)]) == [range(12)]
    assert merged([(0, 0), range(3, 4)]) == [(3, 3)]
    assert merged([range(1), range(7, 8)]) == [range(7, 8)]


def test_a_slice_is_a_copy_of_rows_from_its_first_byte_on() -> None:
    net, x = net_of(1, 4, 6)
    step = only(net, x, net.same("SLICE", x, [1, 4, 2], [net.constant("b", [0, 0, 3]), net.constant("s", [1, 4, 2])]))
    assert step.kernel.name == "dimmer_copy_s8"
    assert values(step, "input", "rows", "row_bytes", "input_stride", "output_stride") == (Buffer(0, 3), 4, 2, 6, 2)


def test_strides_walk_the_input() -> None:
    net, x = net_of(1, 4, 6)
    parameters = [net.constant(name, v) for name, v in (("b", [0, 1, 1]), ("e", [1, 4, 6]), ("s", [1, 2, 2]))]
    step = only(net, x, net.same("STRIDED_SLICE", x, [1, 2, 3], parameters))
    assert step.kernel.name == "dimmer_transpose_s8"
    assert values(step, "input", "dims", "strides") == (Buffer(0, 7), (1, 1, 2, 3), (0, 0, 12, 2))


def test_what_is_irregular_has_tables() -> None:
    net, x = net_of(1, 3, 4)
    step = only(net, x, net.same("GATHER", x, [1, 3, 4], [net.constant("i", [2, 0, 0])], axis=1))
    assert step.kernel.name == "dimmer_take_s8"
    assert values(step, "dims", "offsets", "fill") == ((1, 1, 3, 4), Params((0, 0, 8, 0, 0)), 0)


def test_holes_are_filled_with_the_zero_point() -> None:
    net, x = net_of(1, 3, 4)
    parameters = [net.constant("blocks", [2]), net.constant("paddings", [[0, 1]])]
    first, second = lowered(net, x, net.same("SPACE_TO_BATCH_ND", x, [2, 2, 4], parameters))
    assert first.kernel.name == "dimmer_copy_s8"
    assert values(second, "output", "offsets", "fill") == (Buffer(1, 8), Params((0, 0, 4, HOLE)), 5)


def test_many_irregular_dimensions_share_tables() -> None:
    net, x = net_of(1, 2, 2, 2, 2)
    flipped = [net.constant("axes", [1, 2, 3, 4])]
    step = only(net, x, net.same("REVERSE_V2", x, [1, 2, 2, 2, 2], flipped))
    assert values(step, "dims") == ((1, 1, 16, 1),)  # one falling run
    tiled = only(net, x, net.same("TILE", x, [2, 4, 4, 4, 4], [net.constant("m", [2, 2, 2, 2, 2])]))
    assert values(tiled, "dims") == ((8, 16, 4, 1),)


def test_tables_have_an_end() -> None:
    net, x = net_of(1, 300, 300, 2)
    with pytest.raises(FirmwareGenError, match="needs 90005 offsets, at most 65536 are kept"):
        only(net, x, net.same("TILE", x, [1, 300, 300, 4], [net.constant("m", [1, 1, 1, 2])]))


def test_rows_are_blended_in_steps_of_1024() -> None:
    assert blends(2, 4, ResizeBilinear(False, False)) == [(0, 0, 0), (0, 1, 512), (1, 1, 0), (1, 1, 512)]
    assert blends(2, 4, ResizeBilinear(True, False)) == [(0, 0, 0), (0, 1, 341), (0, 1, 682), (0, 1, 1023)]
    assert blends(2, 4, ResizeBilinear(False, True))[0] == (0, 0, -256)
