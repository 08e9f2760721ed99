# SPDX-License-Identifier: Apache-2.0
"""Regions and feature maps."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.firmware_gen.npu.stream import Registers
from dimmer.pipeline.verification.npu.errors import NpuModelError
from dimmer.pipeline.verification.npu.memory import INTERNAL, Format, Memory, Stretch, Transfer, addresses


def held(map_: str, precision: int, **changed: int) -> Registers:
    names = {"REGION": 1, "BASE0": 0, "BASE1": 0, "BASE2": 0, "BASE3": 0, "STRIDE_Y": 32, "STRIDE_X": 4, "STRIDE_C": 1}
    names |= {"HEIGHT0_M1": 99, "HEIGHT1_M1": 99, "WIDTH0_M1": 99, "ZERO_POINT": 3, "PRECISION": precision, **changed}
    return Registers({f"{map_}_{name}": value for name, value in names.items()})


def test_what_was_written_is_read() -> None:
    memory = Memory({0: b"abc"}, {1: 256}, 2)
    values = np.arange(2 * 2 * 3 * 4).reshape(2, 2, 3, 4) - 20
    memory.write(held("OFM", 1), values)
    assert np.array_equal(memory.read("IFM", held("IFM", 1), (2, 3, 4)), values - 3)


@pytest.mark.parametrize(("size", "bits"), [(2, 1), (4, 2)])
def test_wide_elements_and_blocks_of_channels(size: int, bits: int) -> None:
    memory = Memory({}, {1: 4096}, 1)
    strides = {"STRIDE_Y": 1024, "STRIDE_X": 16 * size, "STRIDE_C": 256}
    values = np.arange(2 * 3 * 20).reshape(1, 2, 3, 20) * 100
    memory.write(held("OFM", 1 | bits << 1 | 0x40, **strides), values)
    assert np.array_equal(
        memory.read("IFM", held("IFM", 1 | bits << 2 | 0x40, ZERO_POINT=0, **strides), (2, 3, 20)), values
    )


def test_four_tiles() -> None:
    tiles = {"BASE0": 0, "BASE1": 100, "BASE2": 200, "BASE3": 300, "HEIGHT0_M1": 0, "HEIGHT1_M1": 1, "WIDTH0_M1": 0}
    places = addresses("IFM", held("IFM", 1, STRIDE_Y=10, STRIDE_X=1, **tiles), (3, 2, 1), Format(1, True, False))
    assert places[..., 0].tolist() == [[0, 100], [200, 110], [210, 300]]


def test_what_lies_outside_is_told() -> None:
    memory = Memory({0: b"abc"}, {1: 16}, 1)
    with pytest.raises(NpuModelError, match="region 5"):
        memory.region(5)
    with pytest.raises(NpuModelError, match="byte 17 of 16"):
        memory.span(1, 1, 16)
    with pytest.raises(NpuModelError, match="feature map reaches"):
        memory.read("IFM", held("IFM", 1), (2, 3, 4))
    with pytest.raises(NpuModelError, match="more than the model"):
        memory.read("IFM", held("IFM", 1), (65536, 65536, 1))
    with pytest.raises(NpuModelError, match="holds constants"):
        memory.copy((1, 0), (0, 0), 2)
    with pytest.raises(NpuModelError, match="end of the tables"):
        memory.copy((1, 0), (INTERNAL, 2040), 16)


def test_weights_that_differ_between_inferences_are_told() -> None:
    memory = Memory({}, {1: 4}, 2)
    assert memory.constant(1, 0, 4) == b"\xa5" * 4
    memory.span(1, 0, 4)[0] = 1
    with pytest.raises(NpuModelError, match="differ from one inference"):
        memory.constant(1, 0, 4)


def test_maps_that_a_transfer_still_moves_are_told() -> None:
    memory = Memory({}, {1: 256, 2: 256}, 1)
    values = np.zeros((1, 2, 3, 4), np.int64)
    for source, to in ((Stretch(2, 0, 8), Stretch(1, 40, 48)), (Stretch(2, 0, 8), Stretch(1, 41, 42))):
        memory.under_way = [Transfer(source, to)]
        with pytest.raises(NpuModelError, match="reads its IFM2, which a DMA may still be writing: a wait is missing"):
            memory.read("IFM2", held("IFM2", 1), (2, 3, 4))
    for source, to in ((Stretch(2, 0, 8), Stretch(1, 40, 48)), (Stretch(1, 43, 44), Stretch(2, 0, 1))):
        memory.under_way = [Transfer(source, to)]
        with pytest.raises(NpuModelError, match="writes what a DMA may still be reading or writing"):
            memory.write(held("OFM", 1), values)
    # Behind the maps, in another region, or read by both.
    memory.under_way = [
        Transfer(Stretch(2, 0, 8), Stretch(1, 44, 50)),
        Transfer(Stretch(1, 44, 50), Stretch(2, 0, 256)),
    ]
    memory.read("IFM", held("IFM", 1), (2, 3, 4))
    memory.write(held("OFM", 1), values)
    memory.under_way = [Transfer(Stretch(1, 0, 40), Stretch(2, 0, 8))]
    memory.read("IFM", held("IFM", 1), (2, 3, 4))
