# SPDX-License-Identifier: Apache-2.0
"""Every changed word of a stream is found, whether it changes a result or not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from dimmer.firmware_gen.npu.compare import difference
from dimmer.firmware_gen.npu.compiled import CompiledMode
from tests.npu import NpuModes


def with_word(mode: CompiledMode, at: int, word: int) -> CompiledMode:
    stream = list(mode.payload.stream)
    stream[at] = word
    return replace(mode, payload=replace(mode.payload, stream=tuple(stream)))


def test_relinked_streams_do_the_same(npu_modes: NpuModes) -> None:
    for mode, relinked, dense in zip(npu_modes.compiled, npu_modes.relinked.modes, npu_modes.dense, strict=True):
        assert difference(mode, relinked, dense) is None


def test_every_changed_word_is_found(npu_modes: NpuModes) -> None:
    bits = random.Random(1)
    for number, mode in enumerate(npu_modes.relinked.modes):
        for at, word in enumerate(mode.payload.stream):
            for bit in bits.sample(range(32), 2):
                changed = with_word(mode, at, word ^ 1 << bit)
                found = difference(npu_modes.compiled[number], changed, npu_modes.dense[number])
                assert found is not None, f"word {at} of mode {number}, bit {bit}"


def test_changed_constants_are_found(npu_modes: NpuModes) -> None:
    mode, found = npu_modes.relinked.modes[0], npu_modes.relinked
    for piece in found.pieces:
        if 0 in piece.modes:
            # Of weights and scales the end is padding.
            for at in (0, piece.size // 2, piece.size - 1) if piece.kind == "constants" else (0,):
                blob = bytearray(found.blob)
                blob[piece.offset + at] ^= 1
                changed = replace(mode, read_only=bytes(blob))
                assert difference(npu_modes.compiled[0], changed, npu_modes.dense[0]) is not None, piece


def test_every_changed_byte_of_packed_scales_is_found(npu_modes: NpuModes) -> None:
    mode = npu_modes.relinked.modes[1]
    bits = random.Random(2)
    for at in range(len(mode.packed)):
        packed, bit = bytearray(mode.packed), bits.randrange(8)
        packed[at] ^= 1 << bit
        found = difference(npu_modes.compiled[1], replace(mode, packed=bytes(packed)), npu_modes.dense[1])
        assert found is not None, f"bit {bit} of byte {at}"
    assert difference(npu_modes.compiled[1], replace(mode, packed_shift=mode.packed_shift + 1)) is not None


@pytest.mark.parametrize("change", ["cut", "longer", "header", "scratch"])
def test_other_changes_are_found(npu_modes: NpuModes, change: str) -> None:
    mode = npu_modes.relinked.modes[0]
    payload = mode.payload
    changed = {
        "cut": replace(mode, payload=replace(payload, stream=payload.stream[:-1])),
        "longer": replace(mode, payload=replace(payload, stream=(*payload.stream, payload.stream[-1]))),
        "header": replace(mode, payload=replace(payload, config=0x3008)),
        "scratch": replace(mode, scratch_size=mode.scratch_size + 16),
    }[change]
    assert difference(npu_modes.compiled[0], changed, npu_modes.dense[0]) is not None
