# SPDX-License-Identifier: Apache-2.0
"""The machine: relinked modes compute what TFLite does, and nonsense is one line."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from dimmer.firmware_gen.npu.compiled import CompiledMode, End
from dimmer.firmware_gen.npu.payload import Payload
from dimmer.firmware_gen.npu.stream import Command, words_of
from dimmer.pipeline.verification.npu.errors import NpuModelError
from dimmer.pipeline.verification.npu.machine import run
from tests.npu import NpuModes

STOP = Command("STOP", 0xFFFF)


def stream_of(*commands: Command, config: int = 0x1807) -> CompiledMode:
    payload = Payload(0x100001, config, 0x10066001, words_of(commands))
    return CompiledMode("88", payload, bytes(64), 0, 1, 64, (End(1, 0, 16),), (End(1, 16, 16),))


def dma(source: int, to: int, size: int) -> tuple[Command, ...]:
    regions = Command("DMA0_SRC_REGION", 1), Command("DMA0_DST_REGION", 1)
    places = (Command("DMA0_SRC", 0, source), Command("DMA0_DST", 0, to), Command("DMA0_LEN", 0, size))
    return (*regions, *places, Command("DMA_START", 0))


def test_relinked_modes_are_exact(npu_modes: NpuModes) -> None:
    for mode, expected in zip(npu_modes.relinked.modes, npu_modes.expected, strict=True):
        assert np.array_equal(run(mode, npu_modes.inputs), expected)


def test_a_dma_copies_for_every_inference() -> None:
    inputs = np.arange(32, dtype=np.uint8).reshape(2, 16)
    assert np.array_equal(run(stream_of(*dma(0, 16, 16), STOP), inputs), inputs)


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        ((), "does not end with STOP"),
        (dma(0, 60, 16), "reaches byte 76 of 64"),
        ((Command("DMA0_SRC", 1, 0),), "more than 32 bits"),
        ((Command("CONV", 0),), "before it sets it"),
    ],
)
def test_nonsense_is_one_line(commands: tuple[Command, ...], said: str) -> None:
    with pytest.raises(NpuModelError, match=said) as caught:
        run(stream_of(*commands), np.zeros((1, 16), np.uint8))
    assert "\n" not in str(caught.value)


def test_another_npu_is_refused() -> None:
    with pytest.raises(NpuModelError, match="not ethos-u85"):
        run(stream_of(STOP, config=0x20000118), np.zeros((1, 16), np.uint8))


def test_weights_that_a_dma_still_brings_are_told(npu_modes: NpuModes) -> None:
    mode = npu_modes.relinked.modes[0]
    words = tuple(word for word in mode.payload.stream if word & 0xFFFF != 17)
    with pytest.raises(NpuModelError, match="a wait is missing"):
        run(replace(mode, payload=replace(mode.payload, stream=words)), npu_modes.inputs[:1])


def test_changed_words_give_another_result_the_same_or_one_line(npu_modes: NpuModes) -> None:
    mode, bits = npu_modes.relinked.modes[1], random.Random(2)
    differ = 0
    for at in bits.sample(range(len(mode.payload.stream)), 40):
        stream = list(mode.payload.stream)
        stream[at] ^= 1 << bits.randrange(32)
        try:
            found = run(replace(mode, payload=replace(mode.payload, stream=tuple(stream))), npu_modes.inputs[:2])
        except NpuModelError:
            differ += 1
        else:
            differ += not np.array_equal(found, npu_modes.expected[1][:2])
    assert differ > 10
