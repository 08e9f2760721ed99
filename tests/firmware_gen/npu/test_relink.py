# SPDX-License-Identifier: Apache-2.0
"""Modes on one blob."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.compare import difference
from dimmer.firmware_gen.npu.relink import PIECE_ALIGN, aligned, relink
from dimmer.firmware_gen.npu.scales import PACKED, RECORD
from dimmer.firmware_gen.npu.stream import Command, words_of
from tests.npu import NpuModes


def test_weights_are_there_once(npu_modes: NpuModes) -> None:
    found = npu_modes.relinked
    weights = [piece for piece in found.pieces if piece.kind == "weights"]
    shared = [piece for piece in weights if piece.modes == (0, 1)]
    assert len(shared) == 2, "stem and head"
    assert len(found.blob) < sum(len(mode.read_only) for mode in npu_modes.compiled)
    contents = [found.blob[piece.offset : piece.offset + piece.size] for piece in found.pieces]
    assert len(set(contents)) == len(contents)
    assert all(piece.offset % PIECE_ALIGN == 0 for piece in found.pieces)
    assert {mode.read_only for mode in found.modes} == {found.blob}


def test_streams_hardly_grow(npu_modes: NpuModes) -> None:
    for ours, theirs in zip(npu_modes.relinked.modes, npu_modes.compiled, strict=True):
        assert len(ours.payload.stream) <= len(theirs.payload.stream) + 16


def test_a_mode_adds_its_scales_and_its_stream(npu_modes: NpuModes) -> None:
    found = npu_modes.relinked
    assert found.added(1) < 3000 < found.added(0)


def test_scales_of_a_further_mode_alone_are_packed_where_asked(npu_modes: NpuModes) -> None:
    packed, plain = npu_modes.relinked, relink(npu_modes.compiled, npu_modes.dense, packed=False)
    assert [len(mode.packed) for mode in packed.modes] == [0, 16 * PACKED]
    assert [mode.packed for mode in plain.modes] == [b"", b""]
    own = next(p for p in plain.pieces if p.kind == "scales" and p.modes == (1,))
    assert packed.modes[1].unpacked == plain.blob[own.offset : own.offset + own.size]
    assert packed.alone(1) == packed.added(1) - len(packed.modes[1].payload.pack()) == 16 * PACKED
    assert plain.alone(1) == 16 * RECORD
    assert difference(npu_modes.compiled[1], plain.modes[1], npu_modes.dense[1]) is None


def test_it_is_the_same_every_time(npu_modes: NpuModes) -> None:
    assert relink(npu_modes.compiled, npu_modes.dense) == npu_modes.relinked


def test_modes_of_two_npus_are_refused(npu_modes: NpuModes) -> None:
    other = replace(npu_modes.compiled[1], payload=replace(npu_modes.compiled[1].payload, config=0x3008))
    with pytest.raises(FirmwareGenError, match="ethos-u55-128 and ethos-u55-256"):
        relink([npu_modes.compiled[0], other])


def test_streams_of_u85_stay_as_they_are(npu_modes: NpuModes) -> None:
    # Its codes are others: a word that U55 does not know stands for them.
    modes = [
        replace(mode, payload=replace(mode.payload, config=0x20000118, stream=(0x10012E, *mode.payload.stream)))
        for mode in npu_modes.compiled
    ]
    found = relink(modes, npu_modes.dense)
    assert found.modes == tuple(modes)
    for piece, mode in zip(found.pieces, modes, strict=True):
        assert found.blob[piece.offset : piece.offset + len(mode.read_only)] == mode.read_only
        assert piece.offset % PIECE_ALIGN == 0
    assert found.alone(1) == aligned(len(modes[1].read_only))


def test_constants_outside_are_refused(npu_modes: NpuModes) -> None:
    short = replace(npu_modes.compiled[0], read_only=npu_modes.compiled[0].read_only[:64])
    with pytest.raises(FirmwareGenError, match=r"mode 88: a command reads .* of 64 bytes"):
        relink([short])


def test_addresses_of_more_than_32_bits_are_refused(npu_modes: NpuModes) -> None:
    mode = npu_modes.compiled[0]
    stream = words_of([Command("WEIGHT_BASE", 1, 0)]) + mode.payload.stream
    with pytest.raises(FirmwareGenError, match="more than 32 bits"):
        relink([replace(mode, payload=replace(mode.payload, stream=stream))])
