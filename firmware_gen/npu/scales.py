# SPDX-License-Identifier: Apache-2.0
"""Scale records packed: 7 bytes of flash for the 10 that the NPU reads of each channel.

Of a record's 80 bits most never vary: a scale lies in [2^30, 2^31), biases of 40 bits have 22, and the shifts of a mode
lie close together. The core unpacks the records of a mode, exactly, before its stream runs
(runtime/npu/dimmer_ethos_u.c); what fits no packed record stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

RECORD = 10
"""Bytes of a channel's bias (40 bits), scale (32) and shift (6)."""
PACKED = 7
"""Bytes of a packed one: from the lowest bit 30 of the scale without its highest, 22 of the bias, 4 of the shift."""
PACKED_REGION = 3
"""Number of the unpacked records' base address, which Vela gives to nothing."""
MOST_PACKED = 0xFFFF
"""Channels of a mode: what its record in the runtime's tables has room for."""
_SCALE_BITS, _BIAS_BITS, _NO_SCALE = 30, 22, 15
_CHANNELS = 8


def packable(records: bytes) -> bool:
    """Whether records can be packed, but for their shifts. Of 8 channels each, they end at a multiple of 16 bytes."""
    if not records or len(records) % (RECORD * _CHANNELS):
        return False
    return all(_fits(*_split(records, at)) for at in range(0, len(records), RECORD))


def first_shift(runs: Sequence[bytes]) -> int:
    """The shift that packed ones count from: the one that lets most runs be packed."""
    lowest = sorted({min(shifts) for run in runs if (shifts := _shifts(run))})
    return max(lowest, key=lambda first: sum(_near(run, first) for run in runs), default=0)


def fitting(runs: Sequence[bytes], first: int) -> list[bytes]:
    """The runs whose shifts can be counted from `first`."""
    return [run for run in runs if _near(run, first)]


def pack(records: bytes, first: int) -> bytes:
    """Packed records; they are `packable`, and fit `first`."""
    found = bytearray()
    for at in range(0, len(records), RECORD):
        bias, scale, shift = _split(records, at)
        code = shift - first if scale else _NO_SCALE
        word = scale & (1 << _SCALE_BITS) - 1 | (bias & (1 << _BIAS_BITS) - 1) << _SCALE_BITS
        found += (word | code << _SCALE_BITS + _BIAS_BITS).to_bytes(PACKED, "little")
    return bytes(found)


def unpack(packed: bytes, first: int) -> bytes:
    """What the core makes of packed records.

    Example:
        >>> record = (-5).to_bytes(5, "little", signed=True) + (1 << 30).to_bytes(4, "little") + bytes([41])
        >>> unpack(pack(record, 40), 40) == record
        True
    """
    found = bytearray()
    for at in range(0, len(packed), PACKED):
        word = int.from_bytes(packed[at : at + PACKED], "little")
        bias = word >> _SCALE_BITS & (1 << _BIAS_BITS) - 1
        bias -= bias >> _BIAS_BITS - 1 << _BIAS_BITS
        code = word >> _SCALE_BITS + _BIAS_BITS
        scale, shift = (0, 0) if code == _NO_SCALE else (word & (1 << _SCALE_BITS) - 1 | 1 << _SCALE_BITS, first + code)
        found += bias.to_bytes(5, "little", signed=True) + scale.to_bytes(4, "little") + bytes([shift])
    return bytes(found)


def _split(records: bytes, at: int) -> tuple[int, int, int]:
    bias = int.from_bytes(records[at : at + 5], "little", signed=True)
    return bias, int.from_bytes(records[at + 5 : at + 9], "little"), records[at + 9]


def _fits(bias: int, scale: int, shift: int) -> bool:
    small = -(1 << _BIAS_BITS - 1) <= bias < 1 << _BIAS_BITS - 1
    return small and (scale >> _SCALE_BITS == 1 if scale else not shift)


def _shifts(records: bytes) -> list[int]:
    return [shift for at in range(0, len(records), RECORD) for _, scale, shift in [_split(records, at)] if scale]


def _near(records: bytes, first: int) -> bool:
    return all(first <= shift < first + _NO_SCALE for shift in _shifts(records))
