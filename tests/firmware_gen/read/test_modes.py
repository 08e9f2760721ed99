# SPDX-License-Identifier: Apache-2.0
"""A set of modes, read and checked against one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.read.modes import ModeSource, read_modes
from tests.firmware_gen.modes import BLOCKS, write_modes
from tests.firmware_gen.narrow_network import Shape
from tests.firmware_gen.narrow_network import write_modes as write_narrow_modes


def test_every_mode_is_cut_into_the_same_positions(tmp_path: Path) -> None:
    networks = read_modes(write_modes(tmp_path))
    assert [network.graph.source for network in networks] == ["888.tflite", "880.tflite", "800.tflite"]
    assert [len(network.positions) for network in networks] == [BLOCKS + 2] * 3
    assert [[not position for position in network.positions] for network in networks] == [
        [False, False, False, False, False],
        [False, False, False, True, False],
        [False, False, True, True, False],
    ]


def test_narrow_weights_are_known_as_slices_of_another_modes(tmp_path: Path) -> None:
    wide, narrow = read_modes(write_narrow_modes(tmp_path, Shape(4, (4,), 1), ["8", "4"]))
    assert {tensor.weight_bits for tensor in wide.graph.tensors} == {8}
    blobs = {tensor.name: tensor.data for tensor in wide.graph.tensors}
    found = [tensor for tensor in narrow.graph.tensors if tensor.weight_bits == 4]
    assert len(found) == 2
    assert all(tensor.data == blobs[tensor.name] for tensor in found)


def test_there_is_a_mode() -> None:
    with pytest.raises(FirmwareGenError, match=r"no mode was given; name at least one \.tflite file"):
        read_modes([])


def test_two_modes_of_one_name_are_refused(tmp_path: Path) -> None:
    first, second, _ = write_modes(tmp_path)
    with pytest.raises(
        FirmwareGenError, match=r"888\.tflite and .*880\.tflite are both called mode 888; rename one of the files"
    ):
        read_modes([first, ModeSource("888", second.path, second.boundaries)])
